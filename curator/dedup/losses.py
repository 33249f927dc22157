"""Alarm when duplicates cost one source most of its rows: usually a template taken for content."""

from collections.abc import Sequence

import polars as pl

from curator.dedup.duplicates import Duplicates
from curator.dedup.errors import DedupError

ALARM_RATIO = 0.5
MIN_ROWS = 20


def measure_losses(
    found: Duplicates,
    ids: Sequence[object] | pl.Series,
    sources: Sequence[str] | pl.Series,
    *,
    alarm_ratio: float = ALARM_RATIO,
    min_rows: int = MIN_ROWS,
) -> pl.DataFrame:
    """Return how many rows each source loses, the heaviest loss first.

    Args:
        found: The verdicts.
        ids: The ids of all rows.
        sources: The source of each row.
        alarm_ratio: Share of rows lost to duplicates from which on a source is alarming, 0 to 1.
        min_rows: Sources with fewer rows raise no alarm.

    Returns:
        Columns source, num_rows, num_removed (UInt32), loss_ratio (Float64) and is_alarming (Boolean).
    """
    if not 0.0 <= alarm_ratio <= 1.0:
        raise DedupError(f"alarm_ratio {alarm_ratio}: expected 0 to 1", "try alarm_ratio=0.5")
    rows = pl.DataFrame({"id": pl.Series("id", ids), "source": pl.Series("source", sources)})
    removed = rows["id"].is_in(found.removed["id"].cast(rows["id"].dtype).implode())
    ratio = pl.col("num_removed") / pl.col("num_rows")
    return (
        rows.with_columns(is_removed=removed)
        .group_by("source")
        .agg(num_rows=pl.len().cast(pl.UInt32), num_removed=pl.col("is_removed").sum().cast(pl.UInt32))
        .with_columns(loss_ratio=ratio)
        .with_columns(is_alarming=(pl.col("loss_ratio") >= alarm_ratio) & (pl.col("num_rows") >= min_rows))
        .sort("loss_ratio", "source", descending=[True, False])
    )
