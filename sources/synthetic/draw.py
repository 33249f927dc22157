"""Draws the columns of a topic: personas, numbers, choices, computed values, rows of tables."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from schemas.errors import ConfigError
from schemas.rules import Variable
from sources.synthetic.columns import Strings, evaluate, evaluate_claim, root_names, spell_columns
from sources.synthetic.noise import F64, I64, draw_uniform, pick_eligible, pick_weighted
from sources.synthetic.place import Place
from sources.synthetic.rulebook import RuleBook
from sources.synthetic.scope import CATEGORY, CompiledTopic

# Keeps the normal quantile finite.
_EDGE = 2.0**-40
# Values sit on a decimal grid; this removes what binary fractions leave behind.
_DECIMALS = 6


@dataclass(frozen=True)
class Drawn:
    """What was drawn for some rows.

    Attributes:
        frame: The columns that expressions read.
        texts: The columns that phrases name, as texts.
        is_complete: Where every table had a fitting row.
    """

    frame: pl.DataFrame
    texts: dict[str, Strings]
    is_complete: NDArray[np.bool_]


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
    frame = pl.DataFrame(draw.columns)
    other = [name for name in compiled.spoken if name not in draw.texts]
    return Drawn(frame, draw.texts | spell_columns(frame, other), draw.is_complete)


@dataclass
class _Picks:
    """Rows picked from a few records: what depends on the records alone is worked out once a record."""

    records: pl.DataFrame
    picked: I64


class _Draw:
    def __init__(self, book: RuleBook, compiled: CompiledTopic, key: str, rows: I64) -> None:
        self._book = book
        self._variables = compiled.variables
        self._place = compiled.place
        self._key = key
        self._rows = rows
        self._read = compiled.read
        self._latent: dict[str, F64] = {}
        self._origins: dict[str, _Picks] = {}
        self.texts: dict[str, Strings] = {}
        self.is_complete = np.ones(len(rows), dtype=np.bool_)
        # A dict of columns, because adding to a wide frame costs more than most draws.
        self.columns: dict[str, pl.Series] = {}
        self._draw_personas(compiled.topic.personas)
        category = pl.DataFrame({CATEGORY: [compiled.category]})
        self._add_picks(_Picks(category, np.zeros(len(rows), dtype=np.int64)))

    def add(self, name: str) -> None:
        variable = self._variables[name]
        if variable.value is not None:
            self._draw_value(name, variable.value)
        elif variable.choices is not None:
            self._draw_choice(name, variable)
        elif variable.table is not None:
            self._draw_record(name, variable)
        else:
            self.columns[name] = self._draw_number(name, variable)

    def _add_picks(self, picks: _Picks) -> None:
        self._add_records(picks.records, picks)

    def _add_records(self, records: pl.DataFrame, picks: _Picks) -> None:
        self._origins |= dict.fromkeys(records.columns, picks)
        self.columns |= records[picks.picked].to_dict()
        self.texts |= {name: texts[picks.picked] for name, texts in spell_columns(records, records.columns).items()}

    def _draw_value(self, name: str, expression: str) -> None:
        origins = {id(self._origins.get(read)): self._origins.get(read) for read in self._select(expression).columns}
        picks = next(iter(origins.values()))
        if len(origins) > 1 or picks is None:
            self.columns[name] = self._evaluate(expression)
            return
        column = evaluate(picks.records, expression, self._place).alias(name)
        picks.records = picks.records.with_columns(column)
        self._add_records(column.to_frame(), picks)

    def _evaluate(self, expression: str) -> pl.Series:
        return evaluate(self._select(expression), expression, self._place)

    def _select(self, expression: str) -> pl.DataFrame:
        """Gives the columns that an expression reads, or one of any kind where it reads none."""
        names = [name for name in root_names(expression, self._place) if name in self.columns] or [CATEGORY]
        return pl.DataFrame({name: self.columns[name] for name in names})

    def _uniform(self, name: str) -> F64:
        return draw_uniform(f"{self._key}/{name}", self._rows)

    def _draw_personas(self, condition: str | None) -> None:
        personas = self._book.personas
        fitting = personas.filter(pl.Series(evaluate_claim(personas, condition, self._place)))
        if fitting.is_empty():
            raise ConfigError(f"{self._place.spot(condition or '')}: no persona fits", "widen `personas`")
        weights = fitting.get_column("persona_weight").to_numpy()
        self._add_picks(_Picks(fitting, pick_weighted(self._uniform("persona"), weights)))

    def _draw_choice(self, name: str, variable: Variable) -> None:
        choices = variable.choices or []
        weights = np.array(variable.weights or [1.0] * len(choices), dtype=np.float64)
        picked = pick_weighted(self._uniform(name), weights)
        self._add_picks(_Picks(pl.Series(name, choices, strict=False).to_frame(), picked))

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
        eligible = self._fit_records(records, variable.where, self._place)
        picked = pick_eligible(self._uniform(name), eligible)
        self.is_complete &= picked >= 0
        used = [column for column in records.columns if column in self._read or column == name]
        self._add_picks(_Picks(records.select(used), np.maximum(picked, 0)))

    def _fit_records(self, records: pl.DataFrame, where: str | None, place: Place) -> NDArray[np.bool_]:
        if where is None:
            return np.ones((len(self._rows), records.height), dtype=np.bool_)
        read = sorted(root_names(where, place) & set(self.columns))
        if not read:
            fits = evaluate_claim(records, where, place)
            return np.broadcast_to(fits, (len(self._rows), records.height))
        # Few combinations of what the condition reads occur, so it is decided once for each of them.
        drawn = pl.DataFrame({name: self.columns[name] for name in read})
        combinations = drawn.unique(maintain_order=True).with_row_index("_combination")
        of_row = drawn.join(combinations, on=read, how="left", nulls_equal=True, maintain_order="left")
        own = [name for name in records.columns if name in root_names(where, place)] or records.columns[:1]
        crossed = combinations.join(records.select(own), how="cross", maintain_order="left_right")
        fits = evaluate_claim(crossed, where, place).reshape(combinations.height, records.height)
        matrix: NDArray[np.bool_] = fits[of_row.get_column("_combination").to_numpy()]
        return matrix
