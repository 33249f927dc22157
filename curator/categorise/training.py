"""What the classifier learns from: the pack's own labelled material, so that its labels depend on nothing else."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from curator.categorise.classifier import Classifier, train_classifier
from curator.extract import extract_documents
from curator.text import flatten_messages
from schemas.config import CategoriseConfig
from schemas.pack import Pack
from sources.protocol import SourceContext

if TYPE_CHECKING:
    import polars as pl

SYNTHETIC_ROWS = 3_000


def make_pack_classifier(pack: Pack, config: CategoriseConfig, seed: int) -> Callable[[], Classifier | None]:
    """Gives a function that trains the classifier of a pack the first time it is called."""

    @functools.cache
    def make() -> Classifier | None:
        rows = read_pack_examples(pack, seed).filter(_has_known_label(pack))
        rows = rows.sort("id").head(config.max_training_rows)
        texts = flatten_messages(rows.select("messages"))["full"]
        return train_classifier(texts, rows["category"], config.min_training_rows)

    return make


def read_pack_examples(pack: Pack, seed: int) -> "pl.DataFrame":
    """Gives the examples of the pack's knowledge pages and some of its generator's, with their labels."""
    import polars as pl

    from sources.markdown import MarkdownSource
    from sources.synthetic import SyntheticSource

    context = SourceContext(root=Path.cwd(), pack=pack, seed=seed)
    documents: list[pl.DataFrame] = []
    if pack.knowledge:
        pages = MarkdownSource(MarkdownSource.Options(), context)
        documents += [batch.documents for batch in pages.read(None)]
    if pack.rules:
        generated = SyntheticSource(SyntheticSource.Options(count=SYNTHETIC_ROWS), context)
        documents += [batch.documents for batch in generated.read(None)]
    parts = [extract_documents(frame, pack).examples for frame in documents]
    return pl.concat(parts).select("id", "messages", "category") if parts else _empty()


def _has_known_label(pack: Pack) -> "pl.Expr":
    import polars as pl

    return pl.col("category").is_in(pack.category_names)


def _empty() -> "pl.DataFrame":
    import polars as pl

    return pl.DataFrame(schema={"id": pl.String, "messages": pl.String, "category": pl.String})
