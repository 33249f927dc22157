"""The generator: rules and a plan in, frames of documents out, one stretch of rows at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from sources.synthetic.conversation import build_documents, render_rows
from sources.synthetic.noise import I64, draw_uniform, pick_weighted
from sources.synthetic.plan import Plan, Stream, Stretch
from sources.synthetic.prepare import Prepared, Topic, prepare_rows
from sources.synthetic.program import write_program
from sources.synthetic.rulebook import RuleBook, Rules
from sources.synthetic.scope import compile_topic
from sources.synthetic.speak import Sheet

# Drawn and decided together: a query for a column costs the same for few rows as for many.
BLOCK_ROWS = 368_640
# Put into words together: texts are what takes memory. Three batches are a row group of the warehouse.
BATCH_ROWS = 40_960


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


@dataclass(frozen=True)
class _Share:
    """The rows of one topic in a block.

    Attributes:
        prepared: Drawn and decided.
        order: Index in the plan of each row, ascending.
        prefix: Of the natural keys.
    """

    prepared: Prepared
    order: I64
    prefix: str


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
        self._sheet = Sheet()
        self._topics = {
            language: {(t.id, c): make_topic(book, t.id, c) for t in book.topics for c in t.categories}
            for language, book in rules.books.items()
        }

    def generate(self, plan: Plan, start: int = 0) -> Iterator[Generated]:
        """Yields the rows of a plan from index `start` on."""
        for low in range(start, plan.count, BLOCK_ROWS):
            high = min(low + BLOCK_ROWS, plan.count)
            shares = self._prepare(plan, low, high)
            for first in range(low, high, BATCH_ROWS):
                yield self._write(shares, first, min(first + BATCH_ROWS, high))

    def _prepare(self, plan: Plan, low: int, high: int) -> list[_Share]:
        shares: list[_Share] = []
        offset = low
        for stretch in plan.cut(low, high):
            for index, stream in enumerate(stretch.names):
                at = np.flatnonzero(stretch.streams == index)
                shares += self._prepare_stream(stream, stretch, at, offset)
            offset += len(stretch.numbers)
        return shares

    def _prepare_stream(self, stream: Stream, stretch: Stretch, at: I64, offset: int) -> Iterator[_Share]:
        category, language = stream
        key = f"{self._seed}/{language}/{category}"
        prefix = f"{self._rules.digest}/{self._seed}/{language}/{category}/"
        numbers = stretch.numbers[at]
        picked, topics = self._pick_topics(self._rules.books[language], category, key, numbers)
        for index, topic in enumerate(topics):
            chosen = picked == index
            if chosen.any():
                yield _Share(prepare_rows(topic, key, numbers[chosen]), at[chosen] + offset, prefix)

    def _pick_topics(self, book: RuleBook, category: str, key: str, numbers: I64) -> tuple[I64, list[Topic]]:
        topics = book.topics_of(category)
        weights = np.array([topic.weight for topic in topics])
        picked = pick_weighted(draw_uniform(f"{key}/topic", numbers), weights)
        return picked, [self._topics[book.language][topic.id, category] for topic in topics]

    def _write(self, shares: list[_Share], low: int, high: int) -> Generated:
        pieces, refused = [], []
        for share in shares:
            first, stop = np.searchsorted(share.order, (low, high))
            if first < stop:
                rendered = render_rows(share.prepared, np.arange(first, stop), self._sheet, share.prefix)
                refused += [f"{share.prefix}{row}" for row in rendered.refused.tolist()]
                order = share.order[rendered.rows.get_column("row").to_numpy()]
                pieces.append(rendered.rows.with_columns(pl.Series("order", order)))
        rows = pl.concat(pieces).sort("order")
        return Generated(build_documents(rows, self._fetched_at), tuple(refused), high)


def make_topic(book: RuleBook, topic_id: str, category: str) -> Topic:
    """Makes a topic ready to be spoken.

    Raises:
        ConfigError: A slot or an expression names something that does not exist.
    """
    topic = next(topic for topic in book.topics if topic.id == topic_id)
    compiled = compile_topic(book, topic, category)
    return Topic(book, compiled, write_program(book, compiled))
