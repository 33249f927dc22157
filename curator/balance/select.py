"""Chooses the rows of a release, the best of each cell, and says what keeps it from being larger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from curator.balance.problem import CELL, MORE, Problem, name_cells
from schemas.config import BalanceConfig

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Shortfall:
    """One thing that keeps a selection from being larger.

    Attributes:
        what: `category nutrition`, `cap max_synthetic_share`, ...; `categories a, b` where only more of both helps.
        rows_lacking: Rows of that category that must come at least (0 for a cap).
        size_without: Size the selection would have without it.
    """

    what: str
    rows_lacking: int
    size_without: int


@dataclass(frozen=True)
class Selection:
    """Which rows of one split are in.

    Attributes:
        chosen: Frame with `id` and `category`.
        refused: Frame with `id` and `reason` (over_quota, author_cap, thread_cap).
        counts: Rows by category of the pack, absent ones as 0.
        targets: Wanted share by category after leaving out those that cannot be supplied at all.
        missing: Categories that cannot be supplied at all.
        shortfalls: What binds, the most binding first; empty when the wanted size is reached.
    """

    chosen: "pl.DataFrame"
    refused: "pl.DataFrame"
    counts: dict[str, int]
    targets: dict[str, float]
    missing: list[str]
    shortfalls: list[Shortfall] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Rows chosen."""
        return self.chosen.height


def select_rows(
    rows: "pl.DataFrame",
    targets: dict[str, float],
    config: BalanceConfig,
    seed: int,
    size: int | Literal["max"],
    taken: Mapping[str, int] | None = None,
) -> Selection:
    """Selects rows of one split so that the target mix holds.

    With `size="max"` it is the largest selection whose every share lies within max(tolerance, 1 row) of its target;
    with a number, each category gets its quota of that size (largest remainder) or as much of it as there is.

    Args:
        rows: Categorised rows that are kept: `id`, `category`, `source`, `licence`, `is_synthetic`, `quality`,
            `author_hash`, `thread` (null: none). No id twice.
        targets: Share by category, adding up to 1.
        config: Tolerance and caps.
        seed: Breaks ties between rows of equal quality.
        size: Rows wanted.
        taken: Rows that other splits hold already, by author; they count towards the author's cap.

    Returns:
        The same for any order of `rows`.
    """
    import polars as pl

    ranked = _rank_rows(rows.filter(pl.col("category").is_in(list(targets))), seed).with_columns(_count_taken(taken))
    capped, refused = _apply_row_caps(ranked, config)
    problem = Problem.build(capped, targets, config)
    takes = problem.solve(size)
    chosen, left = _take(name_cells(capped, config), problem.cells, takes)
    counts = dict.fromkeys(targets, 0) | dict(chosen.group_by("category").len().iter_rows())
    return Selection(
        chosen=chosen.select("id", "category").sort("id"),
        refused=pl.concat([refused, left.select("id", pl.lit("over_quota").alias("reason"))]).sort("id"),
        counts=counts,
        targets=problem.targets,
        missing=[name for name in targets if name not in problem.targets],
        shortfalls=_explain(ranked, targets, config, problem, takes, size),
    )


def _rank_rows(rows: "pl.DataFrame", seed: int) -> "pl.DataFrame":
    """Orders rows best first; equal ones by a seeded hash of the id, never by arrival."""
    import hashlib

    import polars as pl

    key = seed.to_bytes(8, "little")
    ties = [hashlib.blake2b(i.encode(), digest_size=8, key=key).hexdigest() for i in rows["id"]]
    return rows.with_columns(pl.Series("tie", ties, dtype=pl.String)).sort(
        ["is_synthetic", "quality", "tie"], descending=[False, True, False]
    )


def _count_taken(taken: Mapping[str, int] | None) -> "pl.Expr":
    import polars as pl

    if not taken:
        return pl.lit(0).alias("taken")
    return pl.col("author_hash").replace_strict(dict(taken), default=0, return_dtype=pl.Int64).alias("taken")


def _apply_row_caps(ranked: "pl.DataFrame", config: BalanceConfig) -> "tuple[pl.DataFrame, pl.DataFrame]":
    import polars as pl

    refused = []
    for column, cap, reason, before in (
        ("author_hash", config.max_per_author, "author_cap", pl.col("taken")),
        ("thread", config.max_per_thread, "thread_cap", pl.lit(0)),
    ):
        rank = pl.int_range(pl.len()).over(column) + before
        over = pl.col(column).is_not_null() & (rank >= cap)
        refused.append(ranked.filter(over).select("id", pl.lit(reason).alias("reason")))
        ranked = ranked.filter(~over)
    return ranked, pl.concat(refused)


def _take(
    ranked: "pl.DataFrame", cells: "pl.DataFrame", takes: "NDArray[np.int64]"
) -> "tuple[pl.DataFrame, pl.DataFrame]":
    import polars as pl

    wanted = cells.with_columns(pl.Series("take", takes)).select([*CELL, "take"])
    placed = ranked.with_columns(pl.int_range(pl.len()).over(CELL).alias("place")).join(
        wanted, on=CELL, how="left", maintain_order="left"
    )
    is_chosen = pl.col("place") < pl.col("take").fill_null(0)
    return placed.filter(is_chosen), placed.filter(~is_chosen)


def _explain(
    ranked: "pl.DataFrame",
    targets: dict[str, float],
    config: BalanceConfig,
    problem: Problem,
    takes: "NDArray[np.int64]",
    size: int | Literal["max"],
) -> list[Shortfall]:
    """Solves again with one thing relaxed at a time and keeps what would have made the selection larger."""
    reached = int(takes.sum())
    if size != "max" and reached >= size:
        return []
    found = [_with_more_rows(problem, [name], targets, reached, size) for name in targets]
    if not any(found):
        spent = [name for name in problem.targets if _is_spent(problem, name, takes)]
        found.append(_with_more_rows(problem, spent, targets, reached, size))
    no_cap: dict[str, Any] = {
        "max_synthetic_share": 1.0,
        "max_source_share": 1.0,
        "max_licence_share": 1.0,
        "max_per_author": 10**9,
        "max_per_thread": 10**9,
    }
    for cap, value in no_cap.items():
        relaxed = config.model_copy(update={cap: value})
        if relaxed == config:
            continue
        rows, _ = _apply_row_caps(ranked, relaxed)
        possible = Problem.build(rows, targets, relaxed).measure(size)
        if possible > reached:
            found.append(Shortfall(f"cap {cap}", 0, possible))
    return sorted((item for item in found if item), key=lambda item: (-item.size_without, item.what))


def _is_spent(problem: Problem, name: str, takes: "NDArray[np.int64]") -> bool:
    """Tells whether a selection takes all that there is of a category."""
    mine = (problem.cells["category"] == name).to_numpy()
    return int(takes[mine].sum()) >= problem.max_supply(name)


def _with_more_rows(
    problem: Problem, names: list[str], targets: dict[str, float], reached: int, size: int | Literal["max"]
) -> Shortfall | None:
    """Solves again with endless rows of some categories, of sources and licences that no cap holds back."""
    import polars as pl

    plenty = int(problem.cells["available"].sum()) * 100 + 100
    extra = pl.DataFrame(
        {"category": names, "is_synthetic": False, "source": MORE, "licence": MORE, "available": plenty},
        schema=problem.cells.schema,
    )
    present = {key: targets[key] for key in targets if key in problem.targets or key in names}
    total = sum(present.values())
    richer = Problem(
        pl.concat([problem.cells, extra]).sort(CELL),
        {key: share / total for key, share in present.items()},
        problem.config,
    )
    possible = richer.measure(size)
    if possible <= reached:
        return None
    lacking = int(richer.solve(size)[(richer.cells["source"] == MORE).to_numpy()].sum())
    what = f"category {names[0]}" if len(names) == 1 else f"categories {', '.join(names)}"
    return Shortfall(what, lacking, possible) if lacking else None
