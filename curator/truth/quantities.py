"""Numbers with their units, read out of a text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_QUANTITY = re.compile(
    r"(?<![\w.])(\d+(?:\.\d+)?)\s?(?:(lbs?|kg|kcal|g|l|h|hrs|hours|percent|%|sets|weeks)\b|(/10))?(?!\w)"
    r"|(?<![\w.])(\d+(?:\.\d+)?)(?=[x\-])|(?<=[x\-])(\d+(?:\.\d+)?)"
)
_UNITS = {"lbs": "lb", "hrs": "h", "hours": "h", "%": "percent", "/10": "of_10"}


@dataclass(frozen=True)
class Quantity:
    """A number as it stands in a text.

    Attributes:
        value: The number.
        unit: `lb`, `kg`, `kcal`, `g`, `l`, `h`, `percent`, `sets`, `weeks`, `of_10`; "" where none follows.
    """

    value: float
    unit: str


def read_quantities(text: str) -> Iterator[Quantity]:
    """Yields the numbers of a text in order."""
    for match in _QUANTITY.finditer(text):
        number = match.group(1) or match.group(4) or match.group(5)
        unit = match.group(2) or match.group(3) or ""
        yield Quantity(float(number), _UNITS.get(unit, unit))


def find_number(pattern: str, text: str) -> float | None:
    """Gives the first group of a pattern as a number, or None."""
    match = re.search(pattern, text)
    return float(next(group for group in match.groups() if group)) if match else None


def find_load(text: str) -> tuple[float, str] | None:
    """Gives the first weight of a text and its unit; `185x5` without a unit is pounds."""
    match = re.search(r"(?<![\w.])(\d+(?:\.\d+)?)\s?(lb|kg)s?\b", text)
    if match:
        return float(match.group(1)), match.group(2)
    bare = re.search(r"(?<![\w.])(\d{2,3})x\d", text)
    return (float(bare.group(1)), "lb") if bare else None
