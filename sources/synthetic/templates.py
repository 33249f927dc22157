"""Phrases taken apart: literal text, ready for a JSON string, and slots."""

import re
from dataclasses import dataclass

from schemas.rules import Alternative, Phrase
from sources.synthetic.coded import escape

_SLOT = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)(?:#([1-9]))?\}")


@dataclass(frozen=True)
class Slot:
    """A hole in a template.

    Attributes:
        name: Column or phrase, in lower case at the beginning.
        nth: 0 for a plain slot, k for the k-th of several different picks of the phrase.
        is_capital: Whether the value gets an upper-case first letter.
    """

    name: str
    nth: int
    is_capital: bool


@dataclass(frozen=True)
class Template:
    """One way to say something.

    Attributes:
        parts: Literal texts (already escaped for JSON) and slots in order.
        when: SQL condition, or None.
    """

    parts: tuple[str | Slot, ...]
    when: str | None

    @property
    def slots(self) -> list[Slot]:
        """The slots in order."""
        return [part for part in self.parts if isinstance(part, Slot)]


@dataclass(frozen=True)
class PhraseSet:
    """All ways to say one thing."""

    templates: tuple[Template, ...]


def compile_phrase(phrase: Phrase) -> PhraseSet:
    """Takes a phrase apart."""
    return PhraseSet(tuple(_compile_alternative(item) for item in phrase))


def _compile_alternative(item: str | Alternative) -> Template:
    text, when = (item, None) if isinstance(item, str) else (item.text, item.when)
    parts: list[str | Slot] = []
    end = 0
    for match in _SLOT.finditer(text):
        if match.start() > end:
            parts.append(escape(text[end : match.start()]))
        name = match.group(1)
        nth = int(match.group(2) or 0)
        parts.append(Slot(name[0].lower() + name[1:], nth, name[0].isupper()))
        end = match.end()
    if end < len(text):
        parts.append(escape(text[end:]))
    return Template(tuple(parts), when)
