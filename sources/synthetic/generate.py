"""The generator: rules and a plan in, frames of documents out, one stretch of rows at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from sources.synthetic.conversation import build_documents, render_topic
from sources.synthetic.noise import I64, draw_uniform, pick_weighted
from sources.synthetic.plan import Plan, Stream, Stretch
from sources.synthetic.rulebook import RuleBook, Rules
from sources.synthetic.scope import CompiledTopic, compile_topic

# Large enough that the work a phrase costs is spread over many rows, small enough for a few hundred MB.
STRETCH_ROWS = 50_000


@dataclass(frozen=True)
class Generated:
    """Documents of a stretch of rows.

    Attributes:
        documents: Frame with `DOCUMENT_COLUMNS`, in the order of the plan.
        refused: `stream/row` of rows that no rule covers.
        stop: Index after the last row.
    """

    documents: pl.DataFrame
    refused: tuple[str, ...]
    stop: int


class Generator:
    """Writes conversations by rule.

    Args:
        rules: From `load_rules`.
        seed: Seed of everything random.
        fetched_at: What the documents carry as their instant.

    Raises:
        ConfigError: A slot or expression of a rule file names something that does not exist.
    """

    def __init__(self, rules: Rules, seed: int, fetched_at: datetime) -> None:
        self._rules = rules
        self._seed = seed
        self._fetched_at = fetched_at
        self._compiled = {
            language: {(t.id, c): compile_topic(book, t, c) for t in book.topics for c in t.categories}
            for language, book in rules.books.items()
        }

    def generate(self, plan: Plan, start: int = 0) -> Iterator[Generated]:
        """Yields the rows of a plan from index `start` on."""
        for low in range(start, plan.count, STRETCH_ROWS):
            high = min(low + STRETCH_ROWS, plan.count)
            frames, refused = [], []
            for stretch in plan.cut(low, high):
                frame, missing = self._write(stretch)
                frames.append(frame)
                refused += missing
            yield Generated(pl.concat(frames), tuple(refused), high)

    def _write(self, stretch: Stretch) -> tuple[pl.DataFrame, list[str]]:
        pieces, refused = [], []
        for index, stream in enumerate(stretch.names):
            at = np.flatnonzero(stretch.streams == index)
            if at.size:
                frame, missing = self._write_stream(stream, stretch.numbers[at], at)
                pieces.append(frame)
                refused += missing
        rows = pl.concat(pieces).sort("order")
        return build_documents(rows.drop("order"), self._fetched_at), refused

    def _write_stream(self, stream: Stream, numbers: I64, order: I64) -> tuple[pl.DataFrame, list[str]]:
        category, language = stream
        book = self._rules.books[language]
        key = f"{self._seed}/{language}/{category}"
        picked, compiled = self._pick_topics(book, category, key, numbers)
        pieces: list[pl.DataFrame] = []
        refused: list[int] = []
        for index, topic in enumerate(compiled):
            rows = numbers[picked == index]
            if rows.size:
                rendered = render_topic(book, topic, key, rows)
                pieces.append(rendered.rows)
                refused += rendered.refused.tolist()
        prefix = f"{self._rules.digest}/{self._seed}/{language}/{category}/"
        named = pl.concat(pieces).with_columns(natural_key=pl.lit(prefix) + pl.col("row").cast(pl.String))
        places = pl.DataFrame({"row": numbers, "order": order})
        joined = named.join(places, on="row", how="left", maintain_order="left")
        return joined.select("order", "natural_key", "content", "metadata"), [f"{prefix}{row}" for row in refused]

    def _pick_topics(self, book: RuleBook, category: str, key: str, numbers: I64) -> tuple[I64, list[CompiledTopic]]:
        topics = book.topics_of(category)
        weights = np.array([topic.weight for topic in topics])
        picked = pick_weighted(draw_uniform(f"{key}/topic", numbers), weights)
        return picked, [self._compiled[book.language][topic.id, category] for topic in topics]
