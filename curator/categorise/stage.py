"""Decides the category of each row: its source's label, else words and classifier together, else nobody.

A pack with labelled posts to learn from has a classifier that hears the lexicon's votes and knows the class `other`: it
decides alone. Without such posts the lexicon decides, and a classifier trained on the pack's pages answers the rest.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from curator.categorise.classifier import Classifier
from curator.categorise.lexicon import OTHER, Term, count_votes, decide_by_votes, load_lexicon
from curator.extract.domain import OFF_DOMAIN
from curator.text import flatten_messages
from schemas.config import CategoriseConfig
from schemas.pack import Pack

if TYPE_CHECKING:
    import polars as pl

DEFAULT_ROLE = "coach"
MIN_DOMAIN_VOTES = 1.0
"""A classifier of pages knows no class `other`: it is asked only about rows that hold some words of the domain."""


def categorise_examples(
    examples: "pl.DataFrame",
    config: CategoriseConfig,
    pack: Pack,
    make_classifier: Callable[[], Classifier | None] = lambda: None,
) -> "pl.DataFrame":
    """Labels a frame of examples; what is not sure stays null and comes first in the review queue.

    Args:
        examples: Frame with `id`, `messages`, `category` and `category_basis` (the source's label or null), `role`,
            `language`.
        config: Thresholds.
        pack: Taxonomy, lexicon and roles.
        make_classifier: Called at most once, and only when rows are left for it to decide.

    Returns:
        One row an example: `example_id`, `category` (null: uncategorised), `confidence` (0-1 or null), `basis`
        (`rule`, `front_matter`, `lexicon`, `classifier`, `off_domain`, `undecided`, ...), `evidence`, `role`.
    """
    import polars as pl

    texts = pl.concat(
        [examples.select("id", "language"), flatten_messages(examples.select("messages"))], how="horizontal"
    )
    known = pl.col("category").is_in(pack.category_names)
    frame = (
        examples.select("id", "category", "category_basis", "role")
        .with_columns(pl.when(known).then("category").alias("category"))
        .with_columns(texts["language", "question", "full"])
    )
    labelled = frame.filter(pl.col("category").is_not_null()).with_columns(
        pl.lit(1.0).alias("confidence"),
        pl.col("category_basis").fill_null("label").alias("basis"),
        pl.lit(None, pl.String).alias("evidence"),
    )
    rest = frame.filter(pl.col("category").is_null()).with_columns(
        pl.lit(None, pl.Float64).alias("confidence"),
        pl.lit("undecided").alias("basis"),
        pl.lit(None, pl.String).alias("evidence"),
    )
    is_off = pl.col("category_basis").eq_missing(OFF_DOMAIN)
    off_domain, rest = rest.filter(is_off).with_columns(pl.lit(OFF_DOMAIN).alias("basis")), rest.filter(~is_off)
    decided = _judge_posts(rest, config, pack, make_classifier) if pack.training else None
    if decided is None:
        decided = _judge_by_words(rest, config, load_lexicon(pack), make_classifier)
    columns = ["id", "category", "confidence", "basis", "evidence", "role"]
    labels = pl.concat([part.select(columns) for part in (labelled, decided, off_domain)])
    return _assign_roles(labels, pack).rename({"id": "example_id"}).sort("example_id")


def _judge_posts(
    rows: "pl.DataFrame", config: CategoriseConfig, pack: Pack, make_classifier: Callable[[], Classifier | None]
) -> "pl.DataFrame | None":
    """Lets the classifier decide about every row: trained on labelled posts, it weighs the votes and knows `other`.

    Where the lexicon alone would have said the same, its words are the basis. None without a classifier.
    """
    import polars as pl

    classifier = make_classifier() if rows.height else None
    if classifier is None:
        return None
    guess = classifier.predict(rows["full"])
    found = rows.drop("category", "confidence").with_columns(guess)
    is_sure = pl.col("category").is_in(pack.category_names) & (pl.col("confidence") >= config.min_confidence)
    agrees = is_sure & (pl.col("score") >= config.min_lexicon_score) & (pl.col("margin") >= config.min_lexicon_margin)
    return found.with_columns(
        pl.when(is_sure).then("category").alias("category"),
        pl.when(agrees)
        .then(pl.lit("lexicon"))
        .when(is_sure)
        .then(pl.lit("classifier"))
        .otherwise("basis")
        .alias("basis"),
        pl.when(agrees).then("words").otherwise(pl.lit("classifier: ") + pl.col("category")).alias("evidence"),
    )


def _judge_by_words(
    rows: "pl.DataFrame",
    config: CategoriseConfig,
    terms: list[Term],
    make_classifier: Callable[[], Classifier | None],
) -> "pl.DataFrame":
    """Lets the lexicon decide where its votes are clear, and the classifier, if there is one, about the rest."""
    import polars as pl

    votes = decide_by_votes(count_votes(rows, terms), config.min_lexicon_score, config.min_lexicon_margin)
    rows = rows.join(votes, on="id", how="left", maintain_order="left").with_columns(
        pl.col("is_decided").fill_null(value=False), pl.col("words").alias("evidence")
    )
    is_voted = pl.col("is_decided") & (pl.col("winner") != OTHER)
    voted = rows.filter(is_voted).with_columns(
        pl.col("winner").alias("category"),
        (pl.col("margin") * (1 - (-pl.col("score") / 4).exp())).round(4).alias("confidence"),
        pl.lit("lexicon").alias("basis"),
    )
    open_rows = rows.filter(~is_voted.fill_null(value=False))
    return pl.concat([voted, _ask_classifier(open_rows, config, make_classifier)])


def _ask_classifier(
    rows: "pl.DataFrame", config: CategoriseConfig, make_classifier: Callable[[], Classifier | None]
) -> "pl.DataFrame":
    import polars as pl

    is_other = pl.col("is_decided") & (pl.col("winner") == OTHER)
    is_asked = (pl.col("domain_votes").fill_null(0.0) >= MIN_DOMAIN_VOTES) & ~is_other
    asked = rows.filter(is_asked)
    classifier = make_classifier() if asked.height else None
    if classifier is None:
        return rows
    guess = classifier.predict(asked["full"])
    sure = guess["confidence"] >= config.min_confidence
    answered = asked.with_columns(
        pl.when(sure).then(guess["category"]).alias("category"),
        guess["confidence"],
        pl.when(sure).then(pl.lit("classifier")).otherwise("basis").alias("basis"),
        (pl.lit("classifier: ") + guess["category"]).alias("evidence"),
    )
    return pl.concat([answered, rows.filter(~is_asked)])


def _assign_roles(labels: "pl.DataFrame", pack: Pack) -> "pl.DataFrame":
    import polars as pl

    mapping = {name: pack.category_roles.get(name, DEFAULT_ROLE) for name in pack.category_names}
    by_category = pl.col("category").replace_strict(mapping, default=DEFAULT_ROLE, return_dtype=pl.String)
    return labels.with_columns(pl.coalesce("role", by_category).alias("role"))
