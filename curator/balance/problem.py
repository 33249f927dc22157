"""The integer programme of a mix: how many rows to take of each cell of like rows, solved exactly by HiGHS.

A cell is (category, generated or not), and source and licence where their share is capped, and author and thread where
they could give more rows than they may. The programme has a few dozen variables whatever the number of rows, and more
only for authors and threads that are over their cap in several categories.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from curator.balance.groups import GROUPS
from schemas.config import BalanceConfig

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

CELL = ["category", "is_synthetic", "source", "licence"]
ROUNDING = 1e-6
MORE = "(more)"
"""Source and licence of rows that are not there: what an explanation adds to see what they would change."""

Limits = tuple["NDArray[np.float64]", "NDArray[np.float64]"]


@dataclass(frozen=True)
class Problem:
    """The integer programme of one split.

    Attributes:
        cells: One row a cell: `CELL` columns and `available`.
        targets: Shares of the categories that can be supplied, renormalised.
        config: Tolerance and share caps.
        rooms: Rows that an author or thread may give, by column of the cells and its value.
    """

    cells: "pl.DataFrame"
    targets: dict[str, float]
    config: BalanceConfig
    rooms: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        rows: "pl.DataFrame",
        targets: dict[str, float],
        config: BalanceConfig,
        rooms: Mapping[tuple[str, str], int] | None = None,
    ) -> "Problem":
        """Counts the cells and leaves out categories that no row can be taken of."""
        import polars as pl

        keys = [*CELL, *(GROUPS if rooms else [])]
        cells = name_cells(rows, config).group_by(keys).agg(pl.len().alias("available")).sort(keys)
        everything = cls(cells, targets, config)
        # Every row that is left has room of its own, so that one row at least can be had whatever the others take.
        present = {name: share for name, share in targets.items() if everything.max_supply(name) > 0}
        total = sum(present.values()) or 1.0
        return cls(cells, {name: share / total for name, share in present.items()}, config, rooms or {})

    def solve(self, size: int | Literal["max"]) -> "NDArray[np.int64]":
        """Gives how many rows to take of each cell, `(num_cells,) int64`.

        As many as can be; among the largest the closest to the target; among those the fewest generated rows.
        """
        takes = np.zeros(self.cells.height, dtype=np.int64)
        reached = self.measure(size)
        if not reached:
            return takes
        if size == "max":
            limits = self._limit(slack_rows=max(self.config.tolerance * reached, 1.0))
        else:
            limits = self._limit(quotas=round_shares(self.targets, size))
        size_goal, *goals = self._goals()
        held = [(size_goal, -float(reached))]
        for goal in goals:
            found = self._minimise(goal, limits, held)
            if found is None:
                break
            takes = np.rint(found[: self.cells.height]).astype(np.int64)
            held.append((goal, float(goal @ found)))
        return takes

    def measure(self, size: int | Literal["max"]) -> int:
        """Gives how many rows `solve` takes."""
        if not self.targets:
            return 0
        if size != "max":
            return self._find_largest(self._limit(quotas=round_shares(self.targets, size)))
        # |n_c - t_c N| <= max(tolerance N, 1) is a union of two convex cases; the larger one wins.
        by_share = self._find_largest(self._limit(slack_share=self.config.tolerance))
        return max(by_share, self._find_largest(self._limit(slack_rows=1.0)))

    def max_supply(self, category: str) -> int:
        """Gives how many rows of a category can be had at all under the caps on generated rows, authors and threads."""
        mine = self.cells.filter(category=category)
        if self.rooms:
            free = self.config.model_copy(update={"max_source_share": 1.0, "max_licence_share": 1.0})
            return Problem(mine, {category: 1.0}, free, self.rooms).measure("max")
        human = int(mine.filter(~mine["is_synthetic"])["available"].sum())
        generated = int(mine.filter(mine["is_synthetic"])["available"].sum())
        cap = self.config.max_synthetic_share
        if cap >= 1:
            return human + generated
        return human + min(generated, int(human * cap / (1 - cap) + ROUNDING))

    @property
    def _width(self) -> int:
        """Variables: takes per cell, their sum N, deviation per category."""
        return self.cells.height + 1 + len(self.targets)

    def _goals(self) -> "list[NDArray[np.float64]]":
        """What is minimised, one after the other, each among the best by the ones before."""
        count = self.cells.height
        size, deviation, generated = np.zeros(self._width), np.zeros(self._width), np.zeros(self._width)
        size[count] = -1.0
        deviation[count + 1 :] = 1.0
        generated[:count] = self.cells["is_synthetic"].to_numpy()
        # Rows that do not exist are asked for last, so that their number is what is lacking at least.
        generated[:count] += 2.0 * (self.cells["source"] == MORE).to_numpy()
        return [size, deviation, generated]

    def _find_largest(self, limits: Limits) -> int:
        found = self._minimise(self._goals()[0], limits)
        return 0 if found is None else round(found[self.cells.height])

    def _minimise(
        self,
        goal: "NDArray[np.float64]",
        limits: Limits,
        held: "Sequence[tuple[NDArray[np.float64], float]]" = (),
    ) -> "NDArray[np.float64] | None":
        """Solves the programme for one goal; goals that were minimised before are held at their value."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        count = self.cells.height
        available = self.cells["available"].to_numpy().astype(float)
        usable = self.cells["category"].is_in(list(self.targets)).to_numpy()
        total = max(available.sum(), 1.0)
        upper = np.full(self._width, total)
        upper[:count] = available * usable
        equal = np.zeros(self._width)
        equal[: count + 1] = [1.0] * count + [-1.0]
        is_whole = np.ones(self._width, dtype=np.int64)
        is_whole[count + 1 :] = 0
        constraints = [LinearConstraint(equal[None, :], 0, 0), LinearConstraint(limits[0], -np.inf, limits[1])]
        constraints += [LinearConstraint(line[None, :], -np.inf, value + ROUNDING) for line, value in held]
        # HiGHS stops at a gap of 0.01 % by itself: ten rows of a hundred thousand.
        found = milp(
            goal,
            constraints=constraints,
            bounds=Bounds(np.zeros(self._width), upper),
            integrality=is_whole,
            options={"mip_rel_gap": 0.0},
        ).x
        return None if found is None else np.asarray(found, dtype=np.float64)

    def _limit(self, slack_share: float = 0.0, slack_rows: float = 0.0, quotas: dict[str, int] | None = None) -> Limits:
        """Gives the lines of the programme and their upper limits."""
        count, width = self.cells.height, self._width
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
                for value in self.cells[column].filter(self.cells[column] != MORE).unique().sort():
                    line = np.zeros(width)
                    line[:count] = (self.cells[column] == value).to_numpy()
                    line[count] = -cap
                    add(line, ROUNDING)
        for (column, value), room in self.rooms.items():
            line = np.zeros(width)
            line[:count] = (self.cells[column] == value).to_numpy()
            add(line, float(room))
        return np.array(lines), np.array(upper)


def round_shares(shares: dict[str, float], total: int) -> dict[str, int]:
    """Splits a whole number by shares with the method of largest remainders (Hare quota); ties go by name."""
    exact = {name: share * total for name, share in shares.items()}
    floors = {name: int(value + ROUNDING) for name, value in exact.items()}
    left = total - sum(floors.values())
    order = sorted(exact, key=lambda name: (floors[name] - exact[name], name))
    return {name: floors[name] + (name in order[:left]) for name in shares}


def name_cells(rows: "pl.DataFrame", config: BalanceConfig) -> "pl.DataFrame":
    """Blanks source and licence where no cap asks for them, so that quality decides between sources."""
    import polars as pl

    capped = {"source": config.max_source_share < 1, "licence": config.max_licence_share < 1}
    return rows.with_columns(pl.lit("").alias(column) for column, is_capped in capped.items() if not is_capped)
