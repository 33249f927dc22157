"""Weighted word votes: which category the words of a text speak for."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.errors import ConfigError
from schemas.pack import Pack
from sources.packs.loader import read_pack_toml

if TYPE_CHECKING:
    import polars as pl

OTHER = "other"
QUESTION_WEIGHT = 2.0
"""The question says what a conversation is about; the answer wanders."""
MAX_HITS = 3
"""A term counts at most this often, so that one repeated word cannot decide."""


@dataclass(frozen=True)
class Term:
    """A word or phrase and what it votes for.

    Attributes:
        language: ISO 639-1 code of the texts it is looked for in.
        category: A category of the pack, or `other`.
        pattern: Normalised text between spaces; a prefix term has no closing space.
        weight: Votes a hit; negative where the word speaks against the category.
    """

    language: str
    category: str
    pattern: str
    weight: float


def load_lexicon(pack: Pack) -> list[Term]:
    """Reads the lexicon of a pack: tables `[language.category]` of `"term" = weight`.

    Raises:
        ConfigError: A category is unknown or a weight is no number.
    """
    if pack.lexicon is None:
        return []
    terms = []
    known = {*pack.category_names, OTHER}
    for language, categories in read_pack_toml(pack, pack.lexicon).items():
        for category, weights in categories.items():
            if category not in known:
                raise ConfigError(
                    f"{pack.root / pack.lexicon}: [{language}.{category}] is no category of the pack",
                    f"expected one of {', '.join(sorted(known))}",
                )
            terms += [_make_term(pack, language, category, term, weight) for term, weight in weights.items()]
    return terms


def count_votes(texts: "pl.DataFrame", terms: list[Term]) -> "pl.DataFrame":
    """Counts the votes of each row.

    Args:
        texts: Frame with `id`, `language`, `question`, `full`.
        terms: The lexicon.

    Returns:
        One row an (id, category) that was hit: `id`, `category`, `votes`, `words` (the terms that hit).
    """
    import polars as pl

    parts = [
        _count_column(texts, terms, "question", QUESTION_WEIGHT),
        _count_column(texts, terms, "full", 1.0),
    ]
    hits = pl.concat(parts)
    return (
        hits.group_by("id", "category")
        .agg(pl.col("votes").sum().round(6), pl.col("pattern").str.strip_chars().unique().sort().alias("words"))
        .sort("id", "category")
    )


def decide_by_votes(votes: "pl.DataFrame", min_score: float, min_margin: float) -> "pl.DataFrame":
    """Gives the winner of each row's votes.

    Returns:
        One row an id that was hit: `id`, `winner`, `score`, `margin` ((winner - runner-up) / winner, 0-1), `words`,
        `is_decided`, `domain_votes` (votes for all categories but `other`).
    """
    import polars as pl

    ranked = votes.sort(["id", "votes", "category"], descending=[False, True, False])
    best = ranked.group_by("id", maintain_order=True).agg(
        pl.col("category").first().alias("winner"),
        pl.col("votes").first().alias("score"),
        pl.col("votes").get(1, null_on_oob=True).fill_null(0.0).clip(0).alias("second"),
        pl.col("words").first().list.join(", ").alias("words"),
        pl.col("votes").filter(pl.col("category") != OTHER).sum().alias("domain_votes"),
    )
    margin = ((pl.col("score") - pl.col("second")) / pl.col("score")).fill_nan(0).clip(0, 1)
    decided = (pl.col("score") >= min_score) & (pl.col("margin") >= min_margin)
    return best.with_columns(margin.alias("margin")).with_columns(decided.alias("is_decided")).drop("second")


def find_votes(texts: "pl.Series", terms: Sequence[Term]) -> "pl.DataFrame":
    """Gives the votes of texts whose language is not known: the terms of every language are looked for.

    Returns:
        One row a text and term that hit: `row` (place of the text), `category`, `pattern`, `votes`.
    """
    import polars as pl

    table = _tabulate(terms).drop("language")
    hits = _find_patterns(texts, table["pattern"]).join(table, on="pattern")
    return hits.select("row", "category", "pattern", (pl.col("hits") * pl.col("weight")).alias("votes"))


def sum_votes(votes: "pl.DataFrame", num_texts: int, terms: Sequence[Term]) -> Any:
    """Adds up what `find_votes` gave.

    Returns:
        Array (num_texts, num_categories) float64, the categories of the terms in the order of their names.
    """
    import numpy as np
    import polars as pl

    columns = {name: column for column, name in enumerate(sorted({term.category for term in terms}))}
    sums = np.zeros((num_texts, len(columns)))
    ordered = votes.sort("row", "pattern", "category")
    places = ordered["category"].replace_strict(columns, return_dtype=pl.Int64).to_numpy()
    np.add.at(sums, (ordered["row"].to_numpy(), places), ordered["votes"].to_numpy())
    return sums


def normalise_words(text: str) -> str:
    """Gives lower-cased words between single spaces, as `_find_patterns` does for columns."""
    # Letters, numbers and marks: Python's \w knows no marks, and Arabic vowel signs would tear words apart.
    signs = (sign if sign == "%" or unicodedata.category(sign)[0] in "LNM" else " " for sign in text.lower())
    return " ".join("".join(signs).split())


def _make_term(pack: Pack, language: str, category: str, term: str, weight: object) -> Term:
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        raise ConfigError(
            f"{pack.root / str(pack.lexicon)}: {language}.{category} {term!r}: weight must be a number", ""
        )
    is_prefix = term.endswith("*")
    words = normalise_words(term.rstrip("*"))
    return Term(language, category, f" {words}" if is_prefix else f" {words} ", float(weight))


def _count_column(texts: "pl.DataFrame", terms: Sequence[Term], column: str, factor: float) -> "pl.DataFrame":
    import polars as pl

    table = _tabulate(terms)
    hits = _find_patterns(texts[column], table["pattern"])
    spoken = texts.select("id", "language").with_row_index("row")
    return hits.join(spoken, on="row").join(table, on=["pattern", "language"]).select(
        "id", "category", "pattern", (pl.col("hits") * pl.col("weight") * factor).alias("votes")
    )  # fmt: skip


def _tabulate(terms: Sequence[Term]) -> "pl.DataFrame":
    import polars as pl

    columns = ("language", "category", "pattern", "weight")
    schema = dict(zip(columns, (pl.String, pl.String, pl.String, pl.Float64), strict=True))
    return pl.DataFrame({name: [getattr(term, name) for term in terms] for name in columns}, schema=schema)


def _find_patterns(texts: "pl.Series", patterns: "pl.Series") -> "pl.DataFrame":
    """Gives how often each pattern is in each text, at most `MAX_HITS`: `row`, `pattern`, `hits`."""
    import polars as pl

    words = pl.col("pattern").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}\p{M}%]+", " ")
    wanted = patterns.unique().sort().implode()
    spaced = texts.alias("pattern").to_frame().select(pl.concat_str(pl.lit(" "), words, pl.lit(" ")).alias("pattern"))
    return (
        spaced.select(pl.col("pattern").str.extract_many(wanted, overlapping=True))
        .with_row_index("row")
        .explode("pattern")
        .drop_nulls("pattern")
        .group_by("row", "pattern")
        .agg(pl.len().clip(1, MAX_HITS).alias("hits"))
    )
