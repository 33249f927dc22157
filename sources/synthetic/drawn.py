"""The drawn columns of a stretch of rows: gathered when an expression reads them, coded when a text names them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sources.synthetic.coded import Coded, code_series, code_values
from sources.synthetic.noise import I64
from sources.synthetic.scope import CATEGORY


@dataclass
class Picks:
    """Rows picked from a few records: what depends on the records alone is worked out once a record."""

    records: pl.DataFrame
    picked: I64


class Drawn:
    """What was drawn for some rows.

    Args:
        height: Number of rows.

    Attributes:
        height: Number of rows.
        is_complete: Where every table had a fitting row.
    """

    def __init__(self, height: int) -> None:
        self.height = height
        self.is_complete: NDArray[np.bool_] = np.ones(height, dtype=np.bool_)
        self._picks: dict[str, Picks] = {}
        self._series: dict[str, pl.Series] = {}

    @property
    def names(self) -> set[str]:
        """The columns."""
        return self._picks.keys() | self._series.keys()

    def add_series(self, name: str, series: pl.Series) -> None:
        """Adds a column as it is."""
        self._series[name] = series.alias(name)

    def add_picks(self, picks: Picks, names: Iterable[str] | None = None) -> None:
        """Adds columns of picked records."""
        self._picks |= dict.fromkeys(picks.records.columns if names is None else names, picks)

    def find_picks(self, names: Iterable[str]) -> Picks | None:
        """Gives the records that all these columns come from, None where they come from several or from none."""
        origins = {id(self._picks.get(name)): self._picks.get(name) for name in names}
        return next(iter(origins.values())) if len(origins) == 1 else None

    def frame(self, names: Iterable[str]) -> pl.DataFrame:
        """Gives those of the columns that exist, and one of any kind, so that the height is right."""
        wanted = dict.fromkeys([CATEGORY, *(name for name in names if name in self.names)])
        return pl.DataFrame([self._gather(name) for name in wanted])

    def code(self, name: str, spelled: dict[str, Coded]) -> Coded:
        """Gives a column as texts.

        Args:
            name: Of the column.
            spelled: Columns of records in words, which are the same for all rows of a topic; missing ones are added.
        """
        if name in self._series:
            return code_series(self._series[name])
        picks = self._picks[name]
        if name not in spelled:
            spelled[name] = code_values(picks.records.get_column(name))
        return spelled[name].at(picks.picked)

    def _gather(self, name: str) -> pl.Series:
        if name not in self._series:
            picks = self._picks[name]
            return picks.records.get_column(name)[picks.picked]
        return self._series[name]
