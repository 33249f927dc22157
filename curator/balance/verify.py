"""Proves that a release does not leak: no unit spans two splits, no near-duplicates lie across."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

MAX_SHOWN = 100


@dataclass(frozen=True)
class Leak:
    """Two members that must not lie in different splits.

    Attributes:
        reason: near_duplicate or unit.
        left: Example id (or unit id).
        left_split: Its split.
        right: Example id (or unit id).
        right_split: Its split.
    """

    reason: str
    left: str
    left_split: str
    right: str
    right_split: str


def find_leaks(members: "pl.DataFrame", units: "pl.DataFrame", pairs: "pl.DataFrame") -> list[Leak]:
    """Looks for pairs and units that span splits.

    Args:
        members: `example_id`, `split`, `unit_id`.
        units: `example_id`, `unit_id` of the members at least.
        pairs: All pairs at or above the threshold among the members: `left_id`, `right_id` (an exact join).

    Returns:
        At most 100 leaks in order; none is the proof.
    """
    return [*_torn_pairs(members, pairs), *_torn_units(members, units)][:MAX_SHOWN]


def _torn_pairs(members: "pl.DataFrame", pairs: "pl.DataFrame") -> list[Leak]:
    import polars as pl

    split = members.select("example_id", "split")
    torn = (
        pairs.join(split, left_on="left_id", right_on="example_id")
        .join(split, left_on="right_id", right_on="example_id", suffix="_right")
        .filter(pl.col("split") != pl.col("split_right"))
        .sort("left_id", "right_id")
        .head(MAX_SHOWN)
    )
    return [
        Leak("near_duplicate", row["left_id"], row["split"], row["right_id"], row["split_right"])
        for row in torn.iter_rows(named=True)
    ]


def _torn_units(members: "pl.DataFrame", units: "pl.DataFrame") -> list[Leak]:
    import polars as pl

    joined = members.select("example_id", "split").join(units.select("example_id", "unit_id"), on="example_id")
    torn = (
        joined.group_by("unit_id")
        .agg(pl.col("split").unique().sort().alias("splits"))
        .filter(pl.col("splits").list.len() > 1)
        .sort("unit_id")
    )
    return [Leak("unit", unit, splits[0], unit, splits[1]) for unit, splits in torn.iter_rows()]
