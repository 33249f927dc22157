"""Which near-duplicates go: dedup's answer turned into verdicts, with the cap on collapsed answers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.dedup import find_duplicates
from curator.text import flatten_messages
from schemas.config import ProjectConfig
from schemas.frames import frame_schema
from schemas.verdict import VERDICT_COLUMNS

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Removals:
    """What leaves the corpus because something like it stays.

    Attributes:
        verdicts: `VERDICT_COLUMNS`; reasons duplicate (identical text), near_duplicate, answer_collapse.
        clusters: `cluster_id`, `example_id`, `representative_id`, `similarity` of every member of a cluster.
        alarms: Lines for the user.
    """

    verdicts: "pl.DataFrame"
    clusters: "pl.DataFrame"
    alarms: list[str]


def find_removals(examples: "pl.DataFrame", config: ProjectConfig, threads: int | None = None) -> Removals:
    """Decides which rows are removed; the result does not depend on their order.

    Args:
        examples: Rows that screening keeps: `id`, `messages`, `rejected`, `quality`, `source`, `metadata`.
        config: Thresholds, the rank of sources, the cap on one answer.
        threads: Threads; all cores if absent.
    """
    import polars as pl

    ordered = examples.sort("id")
    texts = flatten_messages(ordered)
    rank = {name: place for place, name in enumerate(config.dedup.source_rank)}
    found = find_duplicates(
        texts["full"],
        config.dedup.threshold,
        ids=ordered["id"],
        ngram=config.dedup.ngram,
        mask_numbers=config.dedup.mask_numbers,
        rank=ordered["source"].replace_strict(rank, default=len(rank), return_dtype=pl.Int64),
        quality=ordered["quality"],
        exempt_groups=_number_rules(ordered),
        boilerplate_rows=config.dedup.boilerplate_rows,
        num_threads=threads,
    )
    removed = found.removed.cast({"score": pl.Float64})
    near = removed.select(
        pl.col("id").alias("subject_id"),
        pl.lit(value=False).alias("is_kept"),
        pl.when(pl.col("score") >= 1).then(pl.lit("duplicate")).otherwise(pl.lit("near_duplicate")).alias("reason"),
        "score",
        pl.lit(config.dedup.threshold).alias("threshold"),
        pl.col("partner"),
        pl.lit(None, pl.String).alias("detail"),
    ).cast(frame_schema(VERDICT_COLUMNS))  # type: ignore[arg-type]
    left = ordered.with_columns(texts["question"], texts["answer"]).join(
        removed.select("id"), on="id", how="anti", maintain_order="left"
    )
    collapsed = _cap_answers(left, config.screen.max_answer_repeats)
    alarms = _find_alarms(ordered, removed, config.dedup.max_source_loss)
    return Removals(pl.concat([near, collapsed]).sort("subject_id"), _list_clusters(removed), alarms)


def _number_rules(ordered: "pl.DataFrame") -> "pl.Series":
    """Numbers the rule of each generated row (-1: none): rows of one rule with different facts are no duplicates."""
    import polars as pl

    rule = ordered["metadata"].str.json_path_match("$.rule")
    names = {name: number for number, name in enumerate(rule.drop_nulls().unique().sort())}
    return rule.replace_strict(names, default=-1, return_dtype=pl.Int64).fill_null(-1)


def _cap_answers(rows: "pl.DataFrame", max_repeats: int) -> "pl.DataFrame":
    """Keeps at most `max_repeats` questions that get the very same answer; the best rows stay."""
    import polars as pl

    key = pl.col("answer").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    keyed = rows.with_columns(key.alias("key")).sort(["quality", "id"], descending=[True, False])
    placed = keyed.with_columns(
        pl.int_range(pl.len()).over("key").alias("place"),
        pl.len().over("key").alias("repeats"),
        pl.col("id").first().over("key").alias("partner"),
    )
    return (
        placed.filter(pl.col("place") >= max_repeats)
        .select(
            pl.col("id").alias("subject_id"),
            pl.lit(value=False).alias("is_kept"),
            pl.lit("answer_collapse").alias("reason"),
            pl.col("repeats").alias("score"),
            pl.lit(max_repeats).alias("threshold"),
            "partner",
            pl.format("{} questions get this one answer", "repeats").alias("detail"),
        )
        .cast(frame_schema(VERDICT_COLUMNS))  # type: ignore[arg-type]
    )


def _list_clusters(removed: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    members = removed.select(
        pl.col("representative").alias("cluster_id"),
        pl.col("id").alias("example_id"),
        pl.col("representative").alias("representative_id"),
        pl.col("score").alias("similarity"),
    )
    heads = members.select(
        "cluster_id",
        pl.col("representative_id").alias("example_id"),
        "representative_id",
        pl.lit(1.0).alias("similarity"),
    ).unique()
    return pl.concat([members, heads]).sort("cluster_id", "example_id")


def _find_alarms(rows: "pl.DataFrame", removed: "pl.DataFrame", max_loss: float) -> list[str]:
    import polars as pl

    gone = rows.with_columns(pl.col("id").is_in(removed["id"].implode()).alias("is_gone"))
    by_source = gone.group_by("source").agg(pl.col("is_gone").mean().alias("loss"), pl.len().alias("rows"))
    return [
        f"source {source}: {loss:.0%} of its {count} rows are duplicates of others (alarm above {max_loss:.0%})"
        for source, loss, count in by_source.sort("source").iter_rows()
        if loss > max_loss and count >= 20
    ]
