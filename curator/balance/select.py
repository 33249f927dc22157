"""Chooses the rows of a release, the best of each cell, and says what keeps it from being larger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from curator.balance.groups import GROUPS, mark_groups
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
    usable, problem = _pose(ranked, targets, config)
    takes = problem.solve(size)
    chosen = _choose(usable, problem, takes)
    counts = dict.fromkeys(targets, 0) | dict(chosen.group_by("category").len().iter_rows())
    return Selection(
        chosen=chosen.select("id", "category").sort("id"),
        refused=_refuse(ranked, chosen, config).sort("id"),
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


def _pose(ranked: "pl.DataFrame", targets: dict[str, float], config: BalanceConfig) -> "tuple[pl.DataFrame, Problem]":
    """Gives the rows that a selection could hold, with their groups, and the programme over them."""
    usable, rooms = mark_groups(name_cells(ranked, config), CELL, config, targets)
    return usable, Problem.build(usable, targets, config, rooms)


def _choose(usable: "pl.DataFrame", problem: Problem, takes: "NDArray[np.int64]") -> "pl.DataFrame":
    """Takes the best rows of each cell, and where authors and threads bind the best that fit beside each other.

    Walking down the ranked rows keeps the quality highest. Where that walk ends in a corner (a good row used up the room
    that another category needed) the numbers of the programme for each author and thread are followed instead.
    """
    if problem.rooms:
        walked = _walk(usable, problem, takes)
        if walked is not None:
            return walked
    return _take(usable, problem.cells, takes, [*CELL, *(GROUPS if problem.rooms else [])])


def _walk(usable: "pl.DataFrame", problem: Problem, takes: "NDArray[np.int64]") -> "pl.DataFrame | None":
    import polars as pl

    wanted = problem.cells.with_columns(pl.Series("take", takes)).group_by(CELL).agg(pl.col("take").sum())
    left = {tuple(key): take for *key, take in wanted.select([*CELL, "take"]).iter_rows()}
    rooms = dict(problem.rooms)
    is_chosen = []
    for *cell, author, thread in usable.select([*CELL, *GROUPS]).iter_rows():
        groups = [key for key in zip(GROUPS, (author, thread), strict=True) if key[1]]
        fits = left.get(tuple(cell), 0) > 0 and all(rooms[key] > 0 for key in groups)
        is_chosen.append(fits)
        if fits:
            left[tuple(cell)] -= 1
            for key in groups:
                rooms[key] -= 1
    return None if any(left.values()) else usable.filter(pl.Series(is_chosen, dtype=pl.Boolean))


def _take(usable: "pl.DataFrame", cells: "pl.DataFrame", takes: "NDArray[np.int64]", keys: list[str]) -> "pl.DataFrame":
    import polars as pl

    wanted = cells.with_columns(pl.Series("take", takes)).select([*keys, "take"])
    placed = usable.with_columns(pl.int_range(pl.len()).over(keys).alias("place")).join(
        wanted, on=keys, how="left", maintain_order="left"
    )
    return placed.filter(pl.col("place") < pl.col("take").fill_null(0))


def _refuse(ranked: "pl.DataFrame", chosen: "pl.DataFrame", config: BalanceConfig) -> "pl.DataFrame":
    """Gives every row that is not chosen with the reason: its author or thread gives all it may, or its cell is full."""
    import polars as pl

    left = ranked.join(chosen.select("id"), on="id", how="anti")
    by_author = chosen.group_by("author_hash").agg(pl.len().alias("of_author"))
    by_thread = chosen.group_by("thread").agg(pl.len().alias("of_thread"))
    counted = left.join(by_author, on="author_hash", how="left").join(by_thread, on="thread", how="left")
    has_author, has_thread = pl.col("author_hash").is_not_null(), pl.col("thread").is_not_null()
    author_is_full = pl.col("of_author").fill_null(0) + pl.col("taken") >= config.max_per_author
    thread_is_full = pl.col("of_thread").fill_null(0) >= config.max_per_thread
    reason = (
        pl.when(has_author & author_is_full)
        .then(pl.lit("author_cap"))
        .when(has_thread & thread_is_full)
        .then(pl.lit("thread_cap"))
        .otherwise(pl.lit("over_quota"))
    )
    return counted.select("id", reason.alias("reason"))


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
    # Where nothing can be had at all, endless rows of one category would only name a number out of the air.
    found = [_with_more_rows(problem, [name], targets, reached, size) for name in targets if problem.targets]
    if problem.targets and not any(found):
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
        possible = _pose(ranked, targets, relaxed)[1].measure(size)
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
    more = {"category": names, "is_synthetic": False, "source": MORE, "licence": MORE, "available": plenty}
    free = {group: "" for group in GROUPS if group in problem.cells.columns}
    extra = pl.DataFrame({**more, **free}, schema_overrides=dict(problem.cells.schema)).select(problem.cells.columns)
    present = {key: targets[key] for key in targets if key in problem.targets or key in names}
    total = sum(present.values())
    richer = Problem(
        pl.concat([problem.cells, extra]).sort(CELL),
        {key: share / total for key, share in present.items()},
        problem.config,
        problem.rooms,
    )
    possible = richer.measure(size)
    if possible <= reached:
        return None
    lacking = int(richer.solve(size)[(richer.cells["source"] == MORE).to_numpy()].sum())
    what = f"category {names[0]}" if len(names) == 1 else f"categories {', '.join(names)}"
    return Shortfall(what, lacking, possible) if lacking else None
