"""What an answer must say, may say and must not say, given the numbers of the question."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from curator.truth.quantities import read_quantities

Near = tuple[float, float]
"""A value and how far from it a stated number may lie."""

_EPSILON = 1e-6


@dataclass(frozen=True)
class Expectation:
    """The recomputed rule.

    Attributes:
        allowed: By unit, what numbers of that unit may be; units that are not listed are not checked.
        must: Each entry is a list of (unit, value, tolerance), of which one has to be stated.
        counts: Pairs of a pattern whose first group is a number, and what that number may be.
        says: A pattern that has to occur, or None.
        never: A pattern that must not occur, or None.
    """

    allowed: dict[str, list[Near]] = field(default_factory=dict)
    must: list[list[tuple[str, float, float]]] = field(default_factory=list)
    counts: list[tuple[str, set[float]]] = field(default_factory=list)
    says: str | None = None
    never: str | None = None

    def violations(self, answer: str) -> list[str]:
        """Gives what is wrong with an answer, in words; nothing if it is right."""
        found = list(read_quantities(answer))
        wrong = [
            f"{q.value:g} {q.unit} does not follow from the question"
            for q in found
            if q.unit in self.allowed and not is_near(q.value, self.allowed[q.unit])
        ]
        wrong += [
            "expected " + " or ".join(f"{value:g} {unit}" for unit, value, _ in choices)
            for choices in self.must
            if not any(q.unit in (unit, "") and is_near(q.value, [(v, t)]) for q in found for unit, v, t in choices)
        ]
        for pattern, values in self.counts:
            stated = (float(number) for number in re.findall(pattern, answer, re.IGNORECASE))
            wrong += [
                f"{number:g} in /{pattern}/ is none of {sorted(values)}" for number in stated if number not in values
            ]
        if self.says and not re.search(self.says, answer, re.IGNORECASE):
            wrong.append(f"expected to say /{self.says}/")
        if self.never and re.search(self.never, answer, re.IGNORECASE):
            wrong.append(f"must not say /{self.never}/")
        return wrong


def exactly(values: Iterable[float]) -> list[Near]:
    """Gives values that are allowed as they are."""
    return [(value, _EPSILON) for value in values]


def on_grid(exact: float, step: float) -> float:
    """Gives the multiple of a step closest to a value, the greater one half-way between two."""
    return math.floor(exact / step + 0.5 + _EPSILON) * step


def state(unit: str, value: float) -> list[tuple[str, float, float]]:
    """Gives the entry of `must` that asks for an exact value."""
    return [(unit, value, 0.0)]


def is_near(value: float, allowed: Iterable[Near]) -> bool:
    """Whether a value lies close enough to one of those allowed."""
    return any(abs(value - centre) <= tolerance + _EPSILON for centre, tolerance in allowed)
