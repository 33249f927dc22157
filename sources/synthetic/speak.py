"""Turns decided rows into text: picks the alternatives of every phrase and joins the parts.

Texts are lists of Python strings in numpy object arrays: joining short strings row by row costs less than starting
a polars query for every alternative of every phrase, of which a rule file has thousands.
"""

from collections.abc import Mapping
from itertools import repeat
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sources.synthetic.columns import Strings, evaluate_claims, strings
from sources.synthetic.noise import F64, I64, draw_uniform
from sources.synthetic.place import Place
from sources.synthetic.scope import Phrases
from sources.synthetic.templates import PhraseSet, Slot, Template

# In this order; each is applied once, so a gap of up to four spaces and five line ends closes.
_GAPS = (("  ", " "), ("  ", " "), (" \n", "\n"), ("\n ", "\n"), ("\n\n\n", "\n\n"), ("\n\n\n", "\n\n"))


class Speaker:
    """Renders phrases for the rows of one frame.

    The pick depends on seed, phrase name and row number only, so that a phrase that occurs twice in a row says the
    same both times, whichever sentence it stands in.

    Args:
        frame: The drawn columns.
        spelled: Those that phrases name, as texts.
        phrases: In scope.
        key: Names the stream of randomness.
        rows: Row numbers of the frame.
        place: For messages.
    """

    def __init__(
        self,
        frame: pl.DataFrame,
        spelled: Mapping[str, Strings],
        phrases: Phrases,
        *,
        key: str,
        rows: I64,
        place: Place,
    ) -> None:
        self._frame = frame
        self._spelled = spelled
        self._phrases = phrases
        self._key = key
        self._rows = rows
        self._place = place
        self._claims: dict[str, NDArray[np.bool_]] = {}
        self.is_spoken = np.ones(len(rows), dtype=np.bool_)

    def say(self, name: str) -> pl.Series:
        """Gives the text of a phrase for every row (fit for the inside of a JSON string, spaces tidied)."""
        return tidy(pl.Series(self._render(name, 0, np.arange(len(self._rows))).tolist(), dtype=pl.String))

    def _render(self, name: str, nth: int, at: I64) -> Strings:
        phrase = self._phrases[name]
        picked = self._pick(name, nth, phrase, at)
        if phrase.is_literal:
            return strings(["".join(str(p) for p in t.parts) for t in phrase.templates])[picked]
        if len(phrase.templates) == 1:
            return self._fill(phrase.templates[0], at)
        texts = np.empty(len(at), dtype=np.object_)
        for index, template in enumerate(phrase.templates):
            chosen = np.flatnonzero(picked == index)
            if chosen.size:
                texts[chosen] = self._fill(template, at[chosen])
        return texts

    def _fill(self, template: Template, at: I64) -> Strings:
        if not template.slots:
            texts = np.empty(len(at), dtype=np.object_)
            texts[:] = "".join(str(p) for p in template.parts)
            return texts
        if len(template.parts) == 1 and isinstance(template.parts[0], Slot):
            return self._fill_slot(template.parts[0], at)
        columns: list[Any] = [
            repeat(part) if isinstance(part, str) else self._fill_slot(part, at) for part in template.parts
        ]
        return strings(list(map("".join, zip(*columns, strict=False))))

    def _fill_slot(self, slot: Slot, at: I64) -> Strings:
        if slot.name in self._phrases and slot.name not in self._spelled:
            values = self._render(slot.name, slot.nth, at)
        else:
            values = self._spelled[slot.name][at]
        return strings([text[:1].upper() + text[1:] for text in values]) if slot.is_capital else values

    def _pick(self, name: str, nth: int, phrase: PhraseSet, at: I64) -> I64:
        count = len(phrase.templates)
        if nth == 0 and not phrase.is_conditional:
            return (self._uniform(name, at) * count).astype(np.int64)
        eligible = self._eligible(phrase, at)
        self.is_spoken[at] &= eligible.sum(axis=1) >= max(nth, 1)
        if nth == 0:
            ranks = np.cumsum(eligible, axis=1)
            wanted = (self._uniform(name, at) * ranks[:, -1]).astype(np.int64) + 1
            first: I64 = np.argmax(ranks >= wanted[:, None], axis=1).astype(np.int64)
            return first
        # A random order of the alternatives a row, those that do not fit last.
        keys = np.stack([self._uniform(f"{name}#{k}", at) for k in range(count)], axis=1)
        order = np.argsort(np.where(eligible, keys, 2.0), axis=1, kind="stable")
        picked: I64 = order[:, min(nth, count) - 1].astype(np.int64)
        return picked

    def _eligible(self, phrase: PhraseSet, at: I64) -> NDArray[np.bool_]:
        conditions = [template.when for template in phrase.templates]
        unknown = [text for text in dict.fromkeys(conditions) if text is not None and text not in self._claims]
        self._claims |= evaluate_claims(self._frame, unknown, self._place)
        everywhere = np.ones(len(at), dtype=np.bool_)
        return np.stack([everywhere if c is None else self._claims[c][at] for c in conditions], axis=1)

    def _uniform(self, name: str, at: I64) -> F64:
        return draw_uniform(f"{self._key}/phrase/{name}", self._rows[at])


def tidy(texts: pl.Series) -> pl.Series:
    """Gives texts without the gaps that empty alternatives leave, line ends escaped.

    Double spaces, spaces around line ends and more than one empty line go. Plain replacements, because a regular
    expression over every character costs more than all the rest.
    """
    column = pl.col(texts.name)
    for gap, tight in _GAPS:
        column = column.str.replace_all(gap, tight, literal=True)
    return texts.to_frame().select(column.str.strip_chars().str.replace_all("\n", "\\n", literal=True)).to_series()
