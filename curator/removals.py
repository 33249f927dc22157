"""Which near-duplicates go: dedup's answer turned into verdicts, with the cap on collapsed answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.dedup import compute_signatures, find_new_pairs, resolve_pairs, verify_pairs
from curator.text import flatten_messages
from schemas.config import DedupConfig, ProjectConfig
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


def describe_texts(examples: "pl.DataFrame", config: DedupConfig, threads: int | None = None) -> "pl.DataFrame":
    """Gives what dedup must know of each text, so that no text is ever read twice.

    Args:
        examples: `id`, `messages`, `rejected`.
        config: n-gram and masking.
        threads: Threads; all cores if absent.

    Returns:
        `example_id`, `text_hash`, `signature`, `size` (bytes), `answer_hash` and `question_hash` (normalised texts).
    """
    import polars as pl

    texts = flatten_messages(examples)
    signed = compute_signatures(texts["full"], config.ngram, mask_numbers=config.mask_numbers, num_threads=threads)
    return pl.DataFrame(
        {
            "example_id": examples["id"],
            "text_hash": signed["text_hash"],
            "signature": signed["signature"],
            "size": texts["full"].str.len_bytes().cast(pl.Int32),
            "answer_hash": _hash_texts(texts["answer"]),
            "question_hash": _hash_texts(texts["question"]),
        }
    )


def find_near_pairs(
    new: "pl.DataFrame",
    old: "pl.DataFrame",
    read_texts: "Callable[[pl.Series], pl.DataFrame]",
    config: DedupConfig,
) -> "pl.DataFrame":
    """Gives the pairs of near-duplicate texts that new rows bring.

    Candidates come from the stored signatures; only their texts are read again, for the true Jaccard similarity.

    Args:
        new: Signatures of new rows (`example_id`, `text_hash`, `signature`).
        old: Signatures of what was there before, with the same columns.
        read_texts: Gives `id`, `messages`, `rejected` of the ids that are asked for.
        config: Threshold, n-gram, masking.

    Returns:
        `left_hash`, `right_hash` (left < right), `similarity`; the union over all runs is what one run would find.
    """
    import polars as pl

    found = find_new_pairs(new, old, config.threshold)
    other = pl.concat([_pick(found, old, is_old=True), _pick(found, new, is_old=False)])
    pairs = other.with_columns(new["example_id"].gather(other["new"]).alias("left"))
    ids = pl.concat([pairs["left"], pairs["right"]]).unique().sort()
    texts = read_texts(ids).sort("id")
    places = pl.DataFrame({"id": texts["id"], "place": range(texts.height)}, schema_overrides={"place": pl.Int64})
    placed = pairs.join(places, left_on="left", right_on="id").join(
        places, left_on="right", right_on="id", suffix="_right"
    )
    near = verify_pairs(
        flatten_messages(texts)["full"],
        placed["place"],
        placed["place_right"],
        config.threshold,
        config.ngram,
        mask_numbers=config.mask_numbers,
    )
    hashes = pl.concat([part.select("example_id", "text_hash") for part in (new, old)]).unique("example_id")
    by_place = texts.select("id").join(hashes, left_on="id", right_on="example_id", maintain_order="left")["text_hash"]
    left, right = by_place.gather(near["left"]), by_place.gather(near["right"])
    return (
        pl.DataFrame({"a": left, "b": right, "similarity": near["similarity"].cast(pl.Float64)})
        .select(
            pl.min_horizontal("a", "b").alias("left_hash"),
            pl.max_horizontal("a", "b").alias("right_hash"),
            "similarity",
        )
        .unique()
        .sort("left_hash", "right_hash")
    )


def name_texts(pairs: "pl.DataFrame", *signatures: "pl.DataFrame") -> "pl.DataFrame":
    """Gives pairs of example ids (`left`, `right`, `similarity`) as pairs of texts, as `find_near_pairs` does."""
    import polars as pl

    hashes = pl.concat([part.select("example_id", "text_hash") for part in signatures]).unique("example_id")
    named = pairs.join(hashes, left_on="left", right_on="example_id").join(
        hashes, left_on="right", right_on="example_id", suffix="_right"
    )
    return (
        named.filter(pl.col("text_hash") != pl.col("text_hash_right"))
        .select(
            pl.min_horizontal("text_hash", "text_hash_right").alias("left_hash"),
            pl.max_horizontal("text_hash", "text_hash_right").alias("right_hash"),
            pl.col("similarity").cast(pl.Float64),
        )
        .unique()
        .sort("left_hash", "right_hash")
    )


def find_removals(rows: "pl.DataFrame", pairs: "pl.DataFrame", config: ProjectConfig) -> Removals:
    """Decides which rows are removed; the result does not depend on their order.

    Args:
        rows: Candidates without their text: `id`, `text_hash`, `size`, `answer_hash`, `question_hash`, `quality`,
            `source`, `rule` (of generated rows, else null).
        pairs: Near-duplicate texts: `left_hash`, `right_hash`, `similarity`.
        config: Threshold, the rank of sources, the cap on one answer.
    """
    import polars as pl

    ordered = rows.sort("id")
    rank = {name: place for place, name in enumerate(config.dedup.source_rank)}
    ranked = ordered.select(
        "id",
        "text_hash",
        "size",
        "quality",
        pl.col("source").replace_strict(rank, default=len(rank), return_dtype=pl.Int64).alias("rank"),
    )
    removed = resolve_pairs(ranked, _pair_ids(ordered, pairs)).removed.cast({"score": pl.Float64})
    near = removed.select(
        pl.col("id").alias("subject_id"),
        pl.lit(value=False).alias("is_kept"),
        pl.when(pl.col("score") >= 1).then(pl.lit("duplicate")).otherwise(pl.lit("near_duplicate")).alias("reason"),
        "score",
        pl.lit(config.dedup.threshold).alias("threshold"),
        pl.col("partner"),
        pl.lit(None, pl.String).alias("detail"),
    ).cast(frame_schema(VERDICT_COLUMNS))  # type: ignore[arg-type]
    left = ordered.join(removed.select("id"), on="id", how="anti", maintain_order="left")
    collapsed = _cap_answers(left, config.screen.max_answer_repeats)
    alarms = _find_alarms(ordered, removed, config.dedup.max_source_loss)
    return Removals(pl.concat([near, collapsed]).sort("subject_id"), _list_clusters(removed), alarms)


def _pair_ids(ordered: "pl.DataFrame", pairs: "pl.DataFrame") -> "pl.DataFrame":
    """Gives pairs of texts as pairs of example ids, without generated rows of one rule: their facts differ."""
    import polars as pl

    speakers = ordered.group_by("text_hash").agg(pl.col("id").first(), pl.col("rule").first())
    named = pairs.join(speakers, left_on="left_hash", right_on="text_hash").join(
        speakers, left_on="right_hash", right_on="text_hash", suffix="_right"
    )
    is_same_rule = (pl.col("rule") == pl.col("rule_right")).fill_null(value=False)
    return named.filter(~is_same_rule).select(
        pl.col("id").alias("left"), pl.col("id_right").alias("right"), "similarity"
    )


def _pick(found: "pl.DataFrame", rows: "pl.DataFrame", *, is_old: bool) -> "pl.DataFrame":
    import polars as pl

    mine = found.filter(pl.col("is_old") == is_old)
    return mine.select("new", rows["example_id"].gather(mine["other"]).alias("right"))


def _hash_texts(texts: "pl.Series") -> "pl.Series":
    """Gives 64-bit hashes of texts that ignore case, punctuation and space; the same on every machine."""
    import hashlib

    import polars as pl

    plain = texts.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    hashes = [int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") for text in plain]
    return pl.Series(hashes, dtype=pl.UInt64)


def _cap_answers(rows: "pl.DataFrame", max_repeats: int) -> "pl.DataFrame":
    """Keeps at most `max_repeats` different questions that get the very same answer; the best rows stay."""
    import polars as pl

    keyed = rows.sort(["quality", "id"], descending=[True, False])
    placed = keyed.with_columns(
        pl.int_range(pl.len()).over("answer_hash").alias("place"),
        pl.col("question_hash").n_unique().over("answer_hash").alias("repeats"),
        pl.col("id").first().over("answer_hash").alias("partner"),
    )
    return (
        placed.filter((pl.col("repeats") > max_repeats) & (pl.col("place") >= max_repeats))
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
