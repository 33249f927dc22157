"""Which near-duplicates go: dedup's answer turned into verdicts, with the cap on collapsed answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.dedup import compute_signatures, find_new_pairs, resolve_pairs, verify_pairs
from curator.text import flatten_messages
from schemas.config import DedupConfig, ProjectConfig
from schemas.frames import frame_schema
from schemas.verdict import VERDICT_COLUMNS

PAIR_FLOOR = 0.7
"""Pairs are stored from this similarity up, the least `dedup.threshold` may be: so another one needs no text."""

MIN_ALARM_ROWS = 20
"""A source with fewer rows raises no alarm."""

if TYPE_CHECKING:
    import polars as pl


_SUBJECTS = {"both": "full", "prompt": "prompt", "answer": "answer"}


@dataclass(frozen=True)
class Removals:
    """What leaves the corpus because something like it stays.

    Attributes:
        verdicts: `VERDICT_COLUMNS`; reasons duplicate (identical text), near_duplicate, answer_collapse.
        clusters: `cluster_id`, `example_id`, `representative_id`, `similarity` of every member of a cluster.
    """

    verdicts: "pl.DataFrame"
    clusters: "pl.DataFrame"


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
    subject = _mask_passages(texts[_SUBJECTS[config.subject]], config.masked)
    signed = compute_signatures(
        subject,
        config.ngram,
        mask_numbers=config.mask_numbers,
        keeps_shingles=config.boilerplate_rows is not None,
        num_threads=threads,
    )
    return pl.DataFrame(
        {
            "example_id": examples["id"],
            "text_hash": signed["text_hash"],
            "signature": signed["signature"],
            "size": subject.str.len_bytes().cast(pl.Int32),
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
        new: Signatures of new rows (`text_hash`, `signature`).
        old: Signatures of what was there before, with the same columns.
        read_texts: Gives `text_hash`, `messages`, `rejected` of the hashes that are asked for, a row each.
        config: n-gram, masking.

    Returns:
        `left_hash`, `right_hash` (left < right), `similarity` (`PAIR_FLOOR` and up); the union over all runs is what one run would find.
    """
    import polars as pl

    found = find_new_pairs(new, old, PAIR_FLOOR)
    pairs = pl.concat([_pick(found, new, old, is_old=True), _pick(found, new, new, is_old=False)])
    texts = read_texts(pl.concat([pairs["left_hash"], pairs["right_hash"]]).unique())
    places = texts.select("text_hash").with_row_index("place")
    placed = pairs.join(places, left_on="left_hash", right_on="text_hash").join(
        places, left_on="right_hash", right_on="text_hash", suffix="_right"
    )
    near = verify_pairs(
        read_subject(texts, config),
        placed["place"],
        placed["place_right"],
        PAIR_FLOOR,
        config.ngram,
        mask_numbers=config.mask_numbers,
    )
    hashes = texts["text_hash"]
    return _name_pairs(hashes.gather(near["left"]), hashes.gather(near["right"]), near["similarity"])


def read_subject(examples: "pl.DataFrame", config: DedupConfig) -> "pl.Series":
    """Gives the texts that are compared: what `subject` names, without the masked passages."""
    return _mask_passages(flatten_messages(examples)[_SUBJECTS[config.subject]], config.masked)


def list_involved(rows: "pl.DataFrame", pairs: "pl.DataFrame", config: ProjectConfig) -> "pl.DataFrame":
    """Gives the rows whose text or answer another row has, or that are in a pair: only they can be removed."""
    import polars as pl

    hashes = pl.concat([pairs["left_hash"], pairs["right_hash"]]).unique()
    answers = rows.group_by("answer_hash").len().filter(pl.col("len") > config.screen.max_answer_repeats)["answer_hash"]
    return rows.filter(
        pl.col("text_hash").is_in(hashes.implode())
        | (pl.col("text_hash").is_duplicated() & (pl.col("text_hash") != 0))
        | pl.col("answer_hash").is_in(answers.implode())
    )


def name_texts(pairs: "pl.DataFrame", hashes: "pl.DataFrame") -> "pl.DataFrame":
    """Gives pairs of example ids (`left`, `right`, `similarity`) as pairs of texts, as `find_near_pairs` does.

    Args:
        pairs: Every pair.
        hashes: `example_id` and `text_hash` of all that pairs speak of.
    """
    import polars as pl

    named = pairs.join(hashes, left_on="left", right_on="example_id").join(
        hashes, left_on="right", right_on="example_id", suffix="_right"
    )
    named = named.filter(pl.col("text_hash") != pl.col("text_hash_right"))
    return _name_pairs(named["text_hash"], named["text_hash_right"], named["similarity"])


def _name_pairs(one: "pl.Series", other: "pl.Series", similarity: "pl.Series") -> "pl.DataFrame":
    """Gives each pair of texts once, the smaller hash first, sorted."""
    import polars as pl

    named = pl.DataFrame({"one": one, "other": other, "similarity": similarity})
    return (
        named.select(
            left_hash=pl.min_horizontal("one", "other"),
            right_hash=pl.max_horizontal("one", "other"),
            similarity=pl.col("similarity").cast(pl.Float64),
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
    return Removals(pl.concat([near, collapsed]).sort("subject_id"), _list_clusters(removed))


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


def _mask_passages(texts: "pl.Series", passages: list[str]) -> "pl.Series":
    for passage in passages:
        texts = texts.str.replace_all(passage, " ", literal=True)
    return texts


def _pick(found: "pl.DataFrame", new: "pl.DataFrame", other: "pl.DataFrame", *, is_old: bool) -> "pl.DataFrame":
    """Gives the hashes of the candidate pairs of new rows with the others."""
    import polars as pl

    mine = found.filter(pl.col("is_old") == is_old)
    hashes = {"left_hash": new["text_hash"].gather(mine["new"]), "right_hash": other["text_hash"].gather(mine["other"])}
    return pl.DataFrame(hashes)


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

    is_asked_often = pl.col("question_hash").n_unique() > max_repeats
    often = rows.group_by("answer_hash").agg(is_asked_often.alias("is_often")).filter("is_often")
    keyed = rows.join(often, on="answer_hash", how="semi").sort(["quality", "id"], descending=[True, False])
    placed = keyed.with_columns(
        pl.int_range(pl.len()).over("answer_hash").alias("place"),
        pl.col("question_hash").n_unique().over("answer_hash").alias("repeats"),
        pl.col("id").first().over("answer_hash").alias("partner"),
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


def count_losses(
    reopened: "pl.DataFrame", new: "pl.Series", gone: "pl.Series", verdicts: "pl.DataFrame"
) -> "pl.DataFrame":
    """Gives what a decision adds to `num_rows` and `num_removed` of each `source`.

    Args:
        reopened: `id` and `source` of the rows that were decided upon.
        new: Ids of those that were not there before.
        gone: Ids of those that were gone as copies of others before.
        verdicts: What was decided.
    """
    import polars as pl

    copies = verdicts.filter(pl.col("reason") != "answer_collapse")["subject_id"]
    is_new, was_gone, is_gone = (reopened["id"].is_in(ids.implode()).cast(pl.Int64) for ids in (new, gone, copies))
    changes = pl.DataFrame({"source": reopened["source"], "num_rows": is_new, "num_removed": is_gone - was_gone})
    return changes.group_by("source").sum()


def find_alarms(losses: "pl.DataFrame", max_loss: float) -> list[str]:
    """Gives a line for each source that loses more of its rows to others than it should.

    Args:
        losses: `source`, `num_rows`, `num_removed` (as duplicates or near-duplicates), a row a source.
        max_loss: The share, 0 to 1.
    """
    return [
        f"source {source}: {lost / count:.0%} of its {count} rows are duplicates of others (alarm above {max_loss:.0%})"
        for source, count, lost in losses.select("source", "num_rows", "num_removed").iter_rows()
        if lost > max_loss * count and count >= MIN_ALARM_ROWS
    ]
