"""Draws the columns of a topic: personas, numbers, choices, computed values, rows of tables."""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from schemas.errors import ConfigError
from schemas.rules import Variable
from sources.synthetic.columns import evaluate, evaluate_claim, root_names
from sources.synthetic.drawn import Drawn, Picks
from sources.synthetic.noise import F64, I64, draw_uniform, pick_listed, pick_weighted
from sources.synthetic.rulebook import RuleBook
from sources.synthetic.scope import CATEGORY, CompiledTopic

# Keeps the normal quantile finite.
_EDGE = 2.0**-40
# Values sit on a decimal grid; this removes what binary fractions leave behind.
_DECIMALS = 6


def draw_rows(book: RuleBook, compiled: CompiledTopic, key: str, rows: I64) -> Drawn:
    """Draws everything a topic needs.

    Args:
        book: Tables and personas.
        compiled: The topic.
        key: Names the stream of randomness: seed, language, category.
        rows: Row numbers within the stream.
    """
    draw = _Draw(book, compiled, key, rows)
    for name in compiled.columns:
        draw.add(name)
    return draw.drawn


class _Draw:
    def __init__(self, book: RuleBook, compiled: CompiledTopic, key: str, rows: I64) -> None:
        self._book = book
        self._variables = compiled.variables
        self._place = compiled.place
        self._key = key
        self._rows = rows
        self._read = compiled.read
        self._latent: dict[str, F64] = {}
        self.drawn = Drawn(len(rows))
        self._draw_personas(compiled.topic.personas)
        category = pl.DataFrame({CATEGORY: [compiled.category]})
        self.drawn.add_picks(Picks(category, np.zeros(len(rows), dtype=np.int64)))

    def add(self, name: str) -> None:
        variable = self._variables[name]
        if variable.value is not None:
            self._draw_value(name, variable.value)
        elif variable.choices is not None:
            self._draw_choice(name, variable)
        elif variable.table is not None:
            self._draw_record(name, variable)
        else:
            self.drawn.add_series(name, self._draw_number(name, variable))

    def _draw_value(self, name: str, expression: str) -> None:
        picks = self.drawn.find_picks(self._roots(expression) or {CATEGORY})
        if picks is None:
            self.drawn.add_series(name, self._evaluate(expression))
            return
        column = evaluate(picks.records, expression, self._place).alias(name)
        picks.records = picks.records.with_columns(column)
        self.drawn.add_picks(picks, [name])

    def _roots(self, expression: str) -> set[str]:
        return root_names(expression, self._place) & self.drawn.names

    def _evaluate(self, expression: str) -> pl.Series:
        return evaluate(self.drawn.frame(sorted(self._roots(expression))), expression, self._place)

    def _uniform(self, name: str) -> F64:
        return draw_uniform(f"{self._key}/{name}", self._rows)

    def _draw_personas(self, condition: str | None) -> None:
        personas = self._book.personas
        fitting = personas.filter(pl.Series(evaluate_claim(personas, condition, self._place)))
        if fitting.is_empty():
            raise ConfigError(f"{self._place.spot(condition or '')}: no persona fits", "widen `personas`")
        weights = fitting.get_column("persona_weight").to_numpy()
        self.drawn.add_picks(Picks(fitting, pick_weighted(self._uniform("persona"), weights)))

    def _draw_choice(self, name: str, variable: Variable) -> None:
        choices = variable.choices or []
        weights = np.array(variable.weights or [1.0] * len(choices), dtype=np.float64)
        picked = pick_weighted(self._uniform(name), weights)
        self.drawn.add_picks(Picks(pl.Series(name, choices, strict=False).to_frame(), picked))

    def _draw_number(self, name: str, variable: Variable) -> pl.Series:
        uniform = np.clip(self._uniform(name), _EDGE, 1 - _EDGE)
        if variable.follows:
            own = np.sqrt(max(0.0, 1.0 - sum(rho**2 for rho in variable.follows.values())))
            latent = own * ndtri(uniform)
            for other, rho in variable.follows.items():
                latent = latent + rho * self._latent[other]
            uniform = np.clip(ndtr(latent), _EDGE, 1 - _EDGE)
        self._latent[name] = ndtri(uniform)
        low, high = self._bound(variable.low), self._bound(variable.high)
        if variable.step is None:
            return pl.Series(name, np.round(low + uniform * (high - low), _DECIMALS))
        step = self._bound(variable.step)
        first = np.ceil(low / step - 1e-9)
        last = np.floor(high / step + 1e-9)
        ticks = first + np.floor(uniform * np.maximum(last - first + 1, 1))
        return pl.Series(name, np.round(ticks * step, _DECIMALS))

    def _bound(self, bound: float | str | None) -> F64:
        if isinstance(bound, str):
            return self._evaluate(bound).cast(pl.Float64).to_numpy()
        return np.full(len(self._rows), float(bound or 0.0))

    def _draw_record(self, name: str, variable: Variable) -> None:
        table = self._book.tables.get(variable.table or "")
        if table is None:
            raise ConfigError(f"{self._place.spot(variable.table or '')}: no table {variable.table!r}", "")
        records = table.rename({c: name if c == "name" else f"{name}_{c}" for c in table.columns})
        picked = self._pick_record(self._uniform(name), records, variable.where)
        self.drawn.is_complete &= picked >= 0
        used = [column for column in records.columns if column in self._read or column == name]
        self.drawn.add_picks(Picks(records.select(used), np.maximum(picked, 0)))

    def _pick_record(self, uniform: F64, records: pl.DataFrame, where: str | None) -> I64:
        if where is None:
            return (uniform * records.height).astype(np.int64)
        read = sorted(self._roots(where) - set(records.columns))
        # Few combinations of what the condition reads occur, so it is decided once for each of them.
        groups, of_row = self._combine(read)
        fits = self._fit_records(groups, records, where)
        return pick_listed(uniform, fits, of_row)

    def _combine(self, names: list[str]) -> tuple[pl.DataFrame, I64]:
        """Gives the combinations of values that occur, and which of them each row has."""
        if not names:
            return pl.DataFrame({"_": [0]}), np.zeros(len(self._rows), dtype=np.int64)
        drawn = self.drawn.frame(names).select(names)
        groups = drawn.unique(maintain_order=True)
        numbered = groups.with_row_index("_group")
        joined = drawn.join(numbered, on=names, how="left", nulls_equal=True, maintain_order="left")
        return groups, joined.get_column("_group").cast(pl.Int64).to_numpy()

    def _fit_records(self, groups: pl.DataFrame, records: pl.DataFrame, where: str) -> NDArray[np.bool_]:
        """Gives (num_groups, num_records): which records fit which combination."""
        own = [name for name in records.columns if name in root_names(where, self._place)] or records.columns[:1]
        crossed = groups.join(records.select(own), how="cross", maintain_order="left_right")
        return evaluate_claim(crossed, where, self._place).reshape(groups.height, records.height)
