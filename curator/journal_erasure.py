"""Forgetting in the journal of the service: events and decisions go, and their bytes with them."""

import bisect
import functools
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from curator.journal import JournalError
from schemas.feedback import JOURNAL
from schemas.identity import hash_author

SOURCE = "feedback"
"""Name of the source whose documents are the journal's events."""
_NAMES = frozenset(
    {"event_id", "occurred_at", "kind", "recommendation_id", "model", "arm", "role", "category", "id", "decided_at"}
)
"""Fields that hold names and times, which other entries share, and no text of a person."""
BUSY_S = 10.0
"""How long a running service may keep the file busy; its own transactions take milliseconds."""


@dataclass(frozen=True)
class Meant:
    """What is to be forgotten, in the words of `find_forgotten`.

    Attributes:
        kind: url, author, document, source.
        values: Which; authors as salted hashes.
        salt: The project's salt, by which the users of events are hashed.
        events: Ids of events that are documents to be forgotten.
        examples: Ids of examples to be forgotten.
    """

    kind: str
    values: Collection[str]
    salt: bytes
    events: Collection[str] = ()
    examples: Sequence[str] = ()


@dataclass
class Entries:
    """Entries of the journal that a request means.

    Attributes:
        events: Ids of events.
        decisions: Sequence numbers of decisions.
        claims: Examples that a reviewer has in work.
        texts: What people wrote in them.
    """

    events: list[str] = field(default_factory=list)
    decisions: list[int] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def find_entries(root: Path, meant: Meant) -> Entries:
    """Gives what of the journal a request means; nothing where there is no journal.

    Raises:
        JournalError: It cannot be read.
    """
    path = root / JOURNAL
    if not path.exists():
        return Entries()
    with _open(path) as connection:
        return _find(connection, meant)


def erase_entries(root: Path, meant: Meant) -> Entries:
    """Deletes what a request means and writes the file anew, its log included; doing it again does no harm.

    A service may go on working: it waits for moments. Its new events of a forgotten author are left out by the
    tombstone when they are ingested.

    Raises:
        JournalError: Somebody keeps the file busy for longer than `BUSY_S`; what was to go may still stand in its log.
    """
    path = root / JOURNAL
    if not path.exists():
        return Entries()
    with _open(path) as connection:
        connection.execute("begin immediate")
        found = _find(connection, meant)
        connection.executemany("delete from event where event_id = ?", [(name,) for name in found.events])
        connection.executemany("delete from decision where sequence = ?", [(number,) for number in found.decisions])
        connection.executemany("delete from claim where example_id = ?", [(name,) for name in found.claims])
        connection.execute("commit")
        # Deleting overwrites rows, but copies of them may stand in the free room of pages, and all of it in the log.
        connection.execute("vacuum")
        (is_busy, *_) = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
        if is_busy:
            raise sqlite3.OperationalError("another program reads it all the time")
    return found


def list_remaining(root: Path) -> list[str]:
    """Gives the events that are in the journal, as they were received; they are somebody's own texts.

    Raises:
        JournalError: It cannot be read.
    """
    path = root / JOURNAL
    if not path.exists():
        return []
    with _open(path) as connection:
        return [row[0] for row in connection.execute("select body from event order by sequence")]


def list_texts(body: str) -> list[str]:
    """Gives what people wrote in an event or a decision: no ids, no times, and not the prompt of the system."""
    return list(_walk(orjson.loads(body)))


def _walk(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item)
    elif isinstance(value, dict) and value.get("role") != "system":
        for key, item in value.items():
            if key not in _NAMES:
                yield from _walk(item)


def _find(connection: sqlite3.Connection, meant: Meant) -> Entries:
    found = Entries()
    bodies = dict(connection.execute("select event_id, body from event order by sequence"))
    found.events = _find_events({name: orjson.loads(body) for name, body in bodies.items()}, meant)
    found.texts = [text for name in found.events for text in list_texts(bodies[name])]
    examples = sorted(meant.examples)
    for sequence, subject, body in connection.execute("select sequence, subject, body from decision order by sequence"):
        if _names_one(subject, examples):
            found.decisions.append(sequence)
            found.texts += list_texts(body)
    claimed = (row[0] for row in connection.execute("select example_id from claim order by example_id"))
    found.claims = [name for name in claimed if _names_one(name, examples)]
    return found


def _find_events(events: dict[str, Any], meant: Meant) -> list[str]:
    """Gives the ids of events that are meant, and of all replies to a recommendation that is."""
    known, is_whole = set(meant.events), meant.kind == "source" and SOURCE in meant.values
    if meant.kind == "document":
        known |= set(meant.values)
    hash_user = functools.cache(lambda user: hash_author(user, meant.salt))

    def is_meant(name: str, event: dict[str, Any]) -> bool:
        user = event.get("user")
        by_author = meant.kind == "author" and user is not None and hash_user(user) in meant.values
        return is_whole or name in known or by_author

    chosen = {name for name, event in events.items() if is_meant(name, event)}
    shown = {events[name]["recommendation_id"] for name in chosen if events[name].get("kind") == "recommendation"}
    return [name for name, event in events.items() if name in chosen or event.get("recommendation_id") in shown]


def _names_one(subject: str, examples: Sequence[str]) -> bool:
    """Tells whether a subject, which may be only the beginning of an id, is one of the sorted ids."""
    place = bisect.bisect_left(examples, subject)
    return place < len(examples) and examples[place].startswith(subject)


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)) as connection:
            connection.execute("pragma secure_delete = on")
            yield connection
    except (sqlite3.Error, OSError, KeyError, orjson.JSONDecodeError) as error:
        raise JournalError(
            f"{path}: {error}", "close what keeps it busy (curator serve), then curator forget --resume"
        ) from error
