"""Where in a rule file something stands, so that every complaint names a line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?")
_KEY = re.compile(r"^\s*([A-Za-z0-9_-]+)\s*=")


@dataclass(frozen=True)
class Place:
    """A stretch of a rule file: from `first_line` (1-based) on.

    Attributes:
        path: The file.
        text: All of its text.
        first_line: Where the topic or section in question begins.
        what: Such as `topic recovery_gate`.
    """

    path: Path
    text: str
    first_line: int = 1
    what: str = ""

    def spot(self, snippet: str = "") -> str:
        """Gives `file:line: what` of the first line of the stretch, else of the file, that holds the snippet."""
        lines = self.text.split("\n")
        wanted = snippet.split("\n", 1)[0].lower()
        places = [n for n, line in enumerate(lines, 1) if wanted in line.lower()] if wanted else []
        # What a topic uses may be written above it, for all topics of the file.
        line = next((n for n in places if n >= self.first_line), places[0] if places else self.first_line)
        return f"{self.path}:{line}: {self.what}" if self.what else f"{self.path}:{line}"

    def within(self, loc: Sequence[str | int], what: str) -> "Place":
        """Gives the stretch that starts at a key, such as `("topics", 3)`."""
        return Place(self.path, self.text, find_line(self.text, loc), what)


def find_line(text: str, loc: Sequence[str | int]) -> int:
    """Gives the line (1-based) of the key in a TOML text, or of the closest enclosing table.

    Args:
        text: TOML.
        loc: Keys and list indexes from the root, as pydantic reports them: `("topics", 3, "rules", 0, "when")`.
    """
    best_line, best_depth = 1, 0
    here: list[str | int] = []
    counts: dict[tuple[str | int, ...], int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        path = _path_of_line(line, here, counts)
        if path is None:
            continue
        depth = len(path)
        if depth > best_depth and list(loc[:depth]) == path:
            best_line, best_depth = number, depth
    return best_line


def _path_of_line(line: str, here: list[str | int], counts: dict[tuple[str | int, ...], int]) -> list[str | int] | None:
    header = _HEADER.match(line)
    if header is not None:
        here[:] = _enter_table(header.group(2).split("."), header.group(1) == "[[", counts)
        return list(here)
    key = _KEY.match(line)
    return [*here, key.group(1)] if key is not None else None


def _enter_table(keys: list[str], is_array: bool, counts: dict[tuple[str | int, ...], int]) -> list[str | int]:
    path: list[str | int] = []
    for depth, key in enumerate(keys):
        path.append(key.strip().strip("\"'"))
        is_last = depth == len(keys) - 1
        if is_last and is_array:
            counts[tuple(path)] = counts.get(tuple(path), -1) + 1
        if tuple(path) in counts:
            path.append(counts[tuple(path)])
    return path
