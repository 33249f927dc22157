"""What is compared and how it is counted: undisturbed runs, commits across a fork, failures in words."""

import mmap
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playground import Ended


@dataclass
class Score:
    """What became of one command under one fault.

    Attributes:
        tried: Disturbed runs.
        hit: Those that were still at work, or met the fault.
        torn: Those that left a block half written, which DuckDB tells by its checksum: said in one line, and not promised.
        failures: What was wrong, in words.
    """

    tried: int = 0
    hit: int = 0
    torn: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass
class Course:
    """An undisturbed run.

    Attributes:
        states: The states of the database after each commit, the first before the command.
        again: Those of the same command run once more.
        tables: The last state; and that of the second time, which may have refused input that was stored already.
        snapshots: The snapshots that were published.
        folders_before: Hashes of what is written whole, before it.
        folders: The same afterwards.
        strays: What it left though undisturbed.
        changes: How often it changed a file.
        writes: How often it wrote to one, or made a folder.
        elapsed_s: How long it took.
        code: Its exit code.
        codes: The same, and that of the second time (nothing is left to forget, the folder exists).
    """

    states: list[dict[str, str]]
    again: list[dict[str, str]]
    tables: list[dict[str, str]]
    snapshots: list[dict[str, str]]
    folders_before: dict[str, str]
    folders: dict[str, str]
    strays: list[str]
    changes: int
    writes: int
    elapsed_s: float
    code: int
    codes: set[int]


class Acknowledged:
    """Counts commits across the fork: the child counts, the parent reads what a dead child had counted."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 8)

    def reset(self) -> None:
        """Starts at nothing."""
        self._shared[:8] = bytes(8)

    def add(self) -> None:
        """Counts one more."""
        self._shared[:8] = struct.pack("q", self.count + 1)

    @property
    def count(self) -> int:
        """How many were counted."""
        return int(struct.unpack("q", self._shared[:8])[0])


def watch_commits(on_commit: Callable[[Any], None]) -> None:
    """Has a function called with the warehouse after every commit of this process."""
    from warehouse import Warehouse

    depth = 0
    begun, ran, appended = Warehouse.transaction, Warehouse.run, Warehouse.append

    @contextmanager
    def transaction(self: Warehouse) -> Iterator[None]:
        nonlocal depth
        depth += 1
        try:
            with begun(self):
                yield
        finally:
            depth -= 1
        on_commit(self)

    def run(self: Warehouse, *given: Any, **values: Any) -> None:
        ran(self, *given, **values)
        if not depth:
            on_commit(self)

    def append(self: Warehouse, *given: Any, **values: Any) -> None:
        appended(self, *given, **values)
        if not depth:
            on_commit(self)

    for name, function in (("transaction", transaction), ("run", run), ("append", append)):
        setattr(Warehouse, name, function)


def check_message(score: Score, ended: Ended, name: str, what: str) -> None:
    """Notes a failure unless a command that met a fault ended with exit code 1, one line and what to do."""
    lines = [line for line in ended.err.splitlines() if line.startswith("curator: ")]
    where = f"{name}, {what}"
    if ended.code != 1 or len(lines) != 1 or len(ended.err.splitlines()) > 2:
        score.failures.append(f"{where}: exit {ended.code}, expected 1 and one line: {ended.err.strip()[-600:]}")
    elif "defect of curator" in ended.err or "Error: " in lines[0] or "→" not in ended.err:
        score.failures.append(f"{where}: not clear: {ended.err.strip()[-600:]}")


def tell_difference(found: dict[str, str], wanted: dict[str, str]) -> str:
    """Gives what is not as wanted, name by name."""
    names = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
    return ", ".join(
        f"{name} {found.get(name, 'none')[:24]} instead of {wanted.get(name, 'none')[:24]}" for name in names
    )
