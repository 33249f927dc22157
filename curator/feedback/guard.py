"""Keeps feedback from poisoning a release: nothing near a test row, nothing from a burst, few rows a user.

All three are decided over the whole set and by the time of the events, so the order of arrival does not matter.
"""

from typing import TYPE_CHECKING

from curator.dedup import find_near
from curator.text import flatten_messages
from schemas.config import FeedbackConfig
from schemas.frames import verdict_frame

if TYPE_CHECKING:
    import polars as pl

EXTRACTOR = "event"
NGRAM = 3
MIN_WORDS = 4
"""A shorter prompt ("what now?") is near everything and says nothing of a test row."""


def find_guarded(
    texts: "pl.DataFrame", units: "pl.DataFrame", events: "pl.DataFrame", config: FeedbackConfig
) -> "pl.DataFrame":
    """Finds the examples made of feedback that must stay out of a release.

    Args:
        texts: All current rows: `id`, `extractor`, `messages`, `rejected`.
        units: Split of each example: `example_id`, `split`.
        events: Feedback documents: `example_id`, `person` (who sent them), `created_at`.
        config: Thresholds.

    Returns:
        Verdicts: `near_test` with the similarity and the test row as partner, `burst`, `user_cap`; sorted by id, the
        first reason of a row counts.
    """
    import polars as pl

    ours = texts.filter(pl.col("extractor") == EXTRACTOR)
    if not ours.height:
        return verdict_frame([])
    found = [
        find_near_test(ours, _test_rows(texts, units), config.max_test_similarity),
        find_bursts(events, config.burst_events, config.burst_seconds),
        find_over_cap(events, config.max_per_user),
    ]
    kept = pl.concat(found).unique("subject_id", keep="first", maintain_order=True)
    return kept.filter(pl.col("subject_id").is_in(ours["id"].implode())).sort("subject_id")


def find_near_test(ours: "pl.DataFrame", tests: "pl.DataFrame", threshold: float) -> "pl.DataFrame":
    """Finds rows whose prompt is near the prompt of a test row, or lies in it, or holds it.

    Args:
        ours: `id`, `messages`.
        tests: `id`, `messages` of the test split.
        threshold: Share of the shorter prompt's word 3-grams that the other one holds, numbers counting as numbers.
    """
    prompts = [flatten_messages(frame.select("messages"))["prompt"] for frame in (ours, tests)]
    if not tests.height:
        return verdict_frame([])
    hits = find_near(prompts[0], prompts[1], threshold, ngram=NGRAM, measure="overlap", mask_numbers=True)
    words = prompts[0].str.split(" ").list.len()
    return verdict_frame(
        [
            {
                "subject_id": ours["id"][row["text"]],
                "is_kept": False,
                "reason": "near_test",
                "score": row["similarity"],
                "threshold": threshold,
                "partner": tests["id"][row["near"]],
            }
            for row in hits.iter_rows(named=True)
            if words[row["text"]] >= MIN_WORDS
        ]
    )


def find_bursts(events: "pl.DataFrame", max_events: int, window_s: int) -> "pl.DataFrame":
    """Finds rows with an event out of a burst: more than so many events of one person within a window of time."""
    import polars as pl

    if not events.height:
        return verdict_frame([])
    distinct = events.unique(["person", "event_id"]).sort("person", "created_at", "event_id")
    window = distinct.rolling("created_at", period=f"{window_s}s", group_by="person").agg(pl.len().alias("count"))
    # Every event of the window is suspect, not only the one that filled it.
    full = window.filter(pl.col("count") > max_events).select("person", pl.col("created_at").alias("until"))
    spans = full.with_columns((pl.col("until") - pl.duration(seconds=window_s)).alias("since"))
    suspects = (
        events.join(spans, on="person")
        .filter(pl.col("created_at").is_between("since", "until"))
        .unique("example_id")
        .sort("example_id")
    )
    return _as_verdicts(suspects, "burst", max_events, f"over {max_events} events of one sender in {window_s} s")


def find_over_cap(events: "pl.DataFrame", max_rows: int) -> "pl.DataFrame":
    """Finds the rows of a person beyond the first so many, by the time of their last event."""
    import polars as pl

    if not events.height:
        return verdict_frame([])
    rows = events.group_by("example_id", "person").agg(pl.col("created_at").max())
    ranked = rows.sort("created_at", "example_id").with_columns(pl.int_range(pl.len()).over("person").alias("rank"))
    over = ranked.filter(pl.col("rank") >= max_rows).unique("example_id").sort("example_id")
    return _as_verdicts(over, "user_cap", max_rows, f"one user gives {max_rows} rows at most")


def _test_rows(texts: "pl.DataFrame", units: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    held = units.filter(pl.col("split") == "test")["example_id"]
    return texts.filter(pl.col("id").is_in(held.implode()) & (pl.col("extractor") != EXTRACTOR)).sort("id")


def _as_verdicts(rows: "pl.DataFrame", reason: str, threshold: int, detail: str) -> "pl.DataFrame":
    return verdict_frame(
        [
            {"subject_id": example, "is_kept": False, "reason": reason, "threshold": float(threshold), "detail": detail}
            for example in rows["example_id"]
        ]
    )
