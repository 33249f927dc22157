"""Chooses the rows of a release: a small integer programme over cells of like rows, solved exactly by HiGHS.

A cell is (category, generated or not, source, licence). The programme has a few dozen variables whatever the number
of rows; inside a cell the best rows by quality are taken.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from schemas.config import BalanceConfig

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

CELL = ["category", "is_synthetic", "source", "licence"]
ROUNDING = 1e-6


@dataclass(frozen=True)
class Shortfall:
    """One thing that keeps a selection from being larger.

    Attributes:
        what: `category nutrition`, `cap max_synthetic_share`, ...
        rows_lacking: Rows of that category that are missing (0 for a cap).
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
    rows: "pl.DataFrame", targets: dict[str, float], config: BalanceConfig, seed: int, size: int | Literal["max"]
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

    Returns:
        The same for any order of `rows`.
    """
    import polars as pl

    ranked = _rank_rows(rows.filter(pl.col("category").is_in(list(targets))), seed)
    capped, refused = _apply_row_caps(ranked, config)
    problem = Problem.build(capped, targets, config)
    takes = problem.solve(size)
    chosen, left = _take(capped, problem.cells, takes)
    counts = dict.fromkeys(targets, 0) | dict(chosen.group_by("category").len().iter_rows())
    return Selection(
        chosen=chosen.select("id", "category").sort("id"),
        refused=pl.concat([refused, left.select("id", pl.lit("over_quota").alias("reason"))]).sort("id"),
        counts=counts,
        targets=problem.targets,
        missing=[name for name in targets if name not in problem.targets],
        shortfalls=_explain(ranked, targets, config, problem, int(takes.sum()), size),
    )


def round_shares(shares: dict[str, float], total: int) -> dict[str, int]:
    """Splits a whole number by shares with the method of largest remainders (Hare quota); ties go by name."""
    exact = {name: share * total for name, share in shares.items()}
    floors = {name: int(value + ROUNDING) for name, value in exact.items()}
    left = total - sum(floors.values())
    order = sorted(exact, key=lambda name: (floors[name] - exact[name], name))
    return {name: floors[name] + (name in order[:left]) for name in shares}


@dataclass(frozen=True)
class Problem:
    """The integer programme of one split.

    Attributes:
        cells: One row a cell: `CELL` columns and `available`.
        targets: Shares of the categories that can be supplied, renormalised.
        config: Tolerance and share caps.
    """

    cells: "pl.DataFrame"
    targets: dict[str, float]
    config: BalanceConfig

    @classmethod
    def build(cls, rows: "pl.DataFrame", targets: dict[str, float], config: BalanceConfig) -> "Problem":
        """Counts the cells and leaves out categories that no row can be taken of."""
        import polars as pl

        cells = rows.group_by(CELL).agg(pl.len().alias("available")).sort(CELL)
        supply = {name: cls._max_supply(cells, name, config) for name in targets}
        present = {name: share for name, share in targets.items() if supply[name] > 0}
        total = sum(present.values()) or 1.0
        return cls(cells, {name: share / total for name, share in present.items()}, config)

    def solve(self, size: int | Literal["max"]) -> "NDArray[np.int64]":
        """Gives how many rows to take of each cell, `(num_cells,) int64`."""
        if not self.targets:
            return np.zeros(self.cells.height, dtype=np.int64)
        if size == "max":
            # |n_c - t_c N| <= max(tolerance N, 1) is a union of two convex cases; the larger solution wins.
            by_share = self._optimise(slack_share=self.config.tolerance, slack_rows=0.0)
            by_row = self._optimise(slack_share=0.0, slack_rows=1.0)
            return max(by_share, by_row, key=lambda takes: int(takes.sum()))
        return self._optimise(quotas=round_shares(self.targets, size))

    def _optimise(
        self, slack_share: float = 0.0, slack_rows: float = 0.0, quotas: dict[str, int] | None = None
    ) -> "NDArray[np.int64]":
        """Maximises the size, then among the largest the closeness to the target, then the human rows."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        count = self.cells.height
        names = list(self.targets)
        # Variables: takes per cell, N, deviation per category.
        width = count + 1 + len(names)
        lines, upper = self._constraints(width, slack_share, slack_rows, quotas)
        available = self.cells["available"].to_numpy().astype(float)
        usable = self.cells["category"].is_in(names).to_numpy()
        total = available.sum()
        bounds = Bounds(
            np.zeros(width), np.concatenate([available * usable, [total], np.full(len(names), max(total, 1.0))])
        )
        equal = np.concatenate([np.ones(count), [-1.0], np.zeros(len(names))])
        whole = np.concatenate([np.ones(count + 1), np.zeros(len(names))])
        sizes = LinearConstraint(equal[None, :], 0, 0)
        limits = LinearConstraint(np.array(lines), -np.inf, np.array(upper))
        largest = np.zeros(width)
        largest[count] = -1.0
        first = milp(largest, constraints=[sizes, limits], bounds=bounds, integrality=whole)
        if first.x is None:
            return np.zeros(count, dtype=np.int64)
        best = round(first.x[count])
        closest = np.zeros(width)
        closest[count + 1 :] = 10.0 * max(best, 1)
        closest[:count] = self.cells["is_synthetic"].to_numpy().astype(float)
        fixed = LinearConstraint(np.eye(width)[count][None, :], best, best)
        second = milp(closest, constraints=[sizes, limits, fixed], bounds=bounds, integrality=whole)
        found = first.x if second.x is None else second.x
        return np.rint(found[:count]).astype(np.int64)

    def _constraints(
        self, width: int, slack_share: float, slack_rows: float, quotas: dict[str, int] | None
    ) -> tuple[list["NDArray[np.float64]"], list[float]]:
        count = self.cells.height
        lines: list[NDArray[np.float64]] = []
        upper: list[float] = []

        def add(line: "NDArray[np.float64]", limit: float) -> None:
            lines.append(line)
            upper.append(limit)

        for position, (name, share) in enumerate(self.targets.items()):
            members = np.zeros(width)
            members[:count] = (self.cells["category"] == name).to_numpy()
            gap = members.copy()
            gap[count] = -share
            for sign in (1.0, -1.0):
                deviation = sign * gap
                deviation[count + 1 + position] = -1.0
                add(deviation, 0.0)
                if quotas is None:
                    within = sign * gap
                    within[count] -= slack_share
                    add(within, slack_rows + ROUNDING)
            if quotas is not None:
                add(members, float(quotas[name]))
            synthetic = members.copy()
            synthetic[:count] *= self.cells["is_synthetic"].to_numpy().astype(float)
            add(synthetic - self.config.max_synthetic_share * members, ROUNDING)
        for column, cap in (("source", self.config.max_source_share), ("licence", self.config.max_licence_share)):
            if cap < 1:
                for value in self.cells[column].unique().sort():
                    line = np.zeros(width)
                    line[:count] = (self.cells[column] == value).to_numpy()
                    line[count] = -cap
                    add(line, ROUNDING)
        return lines, upper

    @staticmethod
    def _max_supply(cells: "pl.DataFrame", category: str, config: BalanceConfig) -> int:
        mine = cells.filter(category=category)
        human = int(mine.filter(~mine["is_synthetic"])["available"].sum())
        generated = int(mine.filter(mine["is_synthetic"])["available"].sum())
        if config.max_synthetic_share >= 1:
            return human + generated
        return human + min(generated, int(human * config.max_synthetic_share / (1 - config.max_synthetic_share)))


def _rank_rows(rows: "pl.DataFrame", seed: int) -> "pl.DataFrame":
    """Orders rows best first; equal ones by a seeded hash of the id, never by arrival."""
    import hashlib

    import polars as pl

    key = seed.to_bytes(8, "little")
    ties = [hashlib.blake2b(i.encode(), digest_size=8, key=key).hexdigest() for i in rows["id"]]
    return rows.with_columns(pl.Series("tie", ties, dtype=pl.String)).sort(
        ["is_synthetic", "quality", "tie"], descending=[False, True, False]
    )


def _apply_row_caps(ranked: "pl.DataFrame", config: BalanceConfig) -> "tuple[pl.DataFrame, pl.DataFrame]":
    import polars as pl

    refused = []
    for column, cap, reason in (
        ("author_hash", config.max_per_author, "author_cap"),
        ("thread", config.max_per_thread, "thread_cap"),
    ):
        rank = pl.int_range(pl.len()).over(column)
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
    reached: int,
    size: int | Literal["max"],
) -> list[Shortfall]:
    """Solves again with one thing relaxed at a time and keeps what would have made the selection larger."""
    if size != "max" and reached >= size:
        return []
    found = [
        shortfall
        for name in targets
        if (shortfall := _without_category_limit(problem, name, targets, reached, size)) is not None
    ]
    no_cap: dict[str, Any] = {
        "max_synthetic_share": 1.0,
        "max_source_share": 1.0,
        "max_licence_share": 1.0,
        "max_per_author": 10**9,
        "max_per_thread": 10**9,
    }
    for cap, value in no_cap.items():
        relaxed = config.model_copy(update={cap: value})
        rows, _ = _apply_row_caps(ranked, relaxed)
        possible = int(Problem.build(rows, targets, relaxed).solve(size).sum())
        if possible > reached:
            found.append(Shortfall(f"cap {cap}", 0, possible))
    return sorted(found, key=lambda item: (-item.size_without, item.what))


def _without_category_limit(
    problem: Problem, name: str, targets: dict[str, float], reached: int, size: int | Literal["max"]
) -> Shortfall | None:
    import polars as pl

    plenty = int(problem.cells["available"].sum()) * 100 + 100
    extra = pl.DataFrame(
        {
            "category": [name],
            "is_synthetic": [False],
            "source": ["(more)"],
            "licence": ["(more)"],
            "available": [plenty],
        }
    ).cast(dict(problem.cells.schema))  # type: ignore[arg-type]
    present = {key: targets[key] for key in targets if key in problem.targets or key == name}
    total = sum(present.values())
    config = problem.config.model_copy(update={"max_source_share": 1.0, "max_licence_share": 1.0})
    richer = Problem(
        pl.concat([problem.cells, extra]).sort(CELL), {key: share / total for key, share in present.items()}, config
    )
    takes = richer.solve(size)
    possible = int(takes.sum())
    lacking = int(takes[(richer.cells["source"] == "(more)").to_numpy()].sum())
    return Shortfall(f"category {name}", lacking, possible) if possible > reached and lacking else None
