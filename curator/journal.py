"""The journal of the service: events of feedback and decisions of reviewers, in SQLite beside the database.

What the service acknowledges is on the disk: a commit syncs the write-ahead log. One thread writes, and everything
that waits is committed together, so two hundred clients share one sync. Rows are only appended; whoever drains the
journal keeps the number of the last row it has taken.
"""

import asyncio
import contextlib
import hashlib
import itertools
import json
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from schemas.errors import CuratorError

SELECT_KNOWN = "select event_id, body_hash from event where event_id in (select value from json_each(?))"
INSERT = "insert into event (event_id, kind, client, received_at, body_hash, body) values"
MAX_WAITING = 20_000
MAX_BATCH = 1_000

Receipt = Literal["stored", "repeated", "conflict"]
"""What became of an event: stored; known already; another event has its id."""

SCHEMA = """
create table if not exists event (
    sequence integer primary key autoincrement,
    event_id text not null unique,
    kind text not null,
    client text not null,
    received_at text not null,
    body_hash blob not null,
    body text not null
);
create table if not exists decision (
    sequence integer primary key autoincrement,
    decision_id text not null unique,
    subject text not null,
    kind text not null,
    reviewer text not null,
    body text not null,
    is_undone integer not null default 0
);
create index if not exists decision_by_subject on decision (subject);
create table if not exists taken (what text primary key, sequence integer not null);
create table if not exists claim (example_id text primary key, reviewer text not null, expires_at real not null);
create index if not exists claim_by_reviewer on claim (reviewer);
"""


class JournalError(CuratorError):
    """The journal cannot be read or written."""


class JournalFullError(JournalError):
    """More waits to be written than the disk takes; the client has to come again."""


@dataclass(frozen=True)
class JournalEvent:
    """An event as it was received.

    Attributes:
        sequence: Its place in the journal, ascending without end.
        event_id: The sender's id.
        client: The token by which it came.
        received_at: ISO 8601, UTC.
        body: The event, canonical JSON.
    """

    sequence: int
    event_id: str
    client: str
    received_at: str
    body: str


Work = Callable[[sqlite3.Connection], Any]


EventRow = tuple[str, str, str, str, bytes, str]
"""Event id, kind, client, time of arrival, hash of the body, body."""


@dataclass(frozen=True)
class _Arrival:
    row: EventRow
    future: "Future[Any] | asyncio.Future[Any]"


@dataclass(frozen=True)
class _Work:
    work: Work
    future: "Future[Any]"
    may_fail: bool


_Piece = _Arrival | _Work


class Journal:
    """The open journal; safe to use from any thread.

    Args:
        path: The SQLite file, made where absent.

    Raises:
        JournalError: It cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: queue.SimpleQueue[_Piece | None] = queue.SimpleQueue()
        self._local = threading.local()
        self._is_closed = False
        with _translate(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Made with these rights, not changed to them: it holds what users said.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            connection = _connect(path)
            connection.executescript(SCHEMA)
            connection.close()
        self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
        self._writer.start()

    def submit(self, work: Work, *, may_fail: bool = True) -> "Future[Any]":
        """Has a piece of work done in the next transaction.

        Args:
            work: Gets the connection; runs in the writer's thread, together with others in one transaction.
            may_fail: Whether it may raise a CuratorError, which undoes its own changes alone.

        Returns:
            A future of its result, done when the transaction is on the disk.

        Raises:
            JournalFullError: Too much is waiting.
            JournalError: The journal is closed.
        """
        future: Future[Any] = Future()
        self._enqueue(_Work(work, future, may_fail))
        return future

    def append_event(self, event_id: str, kind: str, client: str, body: str) -> "Future[Receipt]":
        """Stores an event once.

        Args:
            event_id: The idempotency key.
            kind: The kind of event.
            client: Whose token sent it.
            body: Canonical JSON.

        Returns:
            A future of what became of it, done when it is on the disk.
        """
        future: Future[Receipt] = Future()
        self._enqueue(_Arrival(_make_row(event_id, kind, client, body), future))
        return future

    async def append_event_async(self, event_id: str, kind: str, client: str, body: str) -> Receipt:
        """Does the same for a coroutine: its loop is woken once for all that a transaction has stored."""
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._enqueue(_Arrival(_make_row(event_id, kind, client, body), future))
        return await future

    def read_events(self, after: int = 0, limit: int = 10_000) -> list[JournalEvent]:
        """Gives the events after a sequence number, in order."""
        rows = self._read(
            "select sequence, event_id, client, received_at, body from event where sequence > ? order by sequence"
            " limit ?",
            (after, limit),
        )
        return [JournalEvent(*row) for row in rows]

    def count_events(self) -> dict[str, int]:
        """Gives the number of events by kind."""
        return dict(self._read("select kind, count(*) from event group by kind order by kind"))

    def count_decisions(self) -> dict[str, int]:
        """Gives the number of standing decisions by kind."""
        return dict(self._read("select kind, count(*) from decision where not is_undone group by kind order by kind"))

    def read_last_sequence(self) -> dict[str, int]:
        """Gives the number of the last event and of the last decision, 0 where there is none."""
        (row,) = self._read(
            "select coalesce((select max(sequence) from event), 0), coalesce((select max(sequence) from decision), 0)"
        )
        return {"event": int(row[0]), "decision": int(row[1])}

    def check(self) -> None:
        """Proves that the journal can be read.

        Raises:
            JournalError: It cannot.
        """
        self._read("select 1")

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Gives the rows of a trusted statement, on this thread's own connection."""
        return self._read(statement, values)

    def close(self) -> None:
        """Writes what waits and closes the journal."""
        if self._is_closed:
            return
        self._is_closed = True
        self._waiting.put(None)
        self._writer.join()

    def _enqueue(self, piece: _Piece) -> None:
        if self._is_closed:
            raise JournalError(f"{self.path}: the journal is closed")
        if self._waiting.qsize() >= MAX_WAITING:
            raise JournalFullError(f"{self.path}: {MAX_WAITING:,} events wait to be written", "send it again later")
        self._waiting.put(piece)

    def _read(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with _translate(self.path):
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = _connect(self.path)
            return list(connection.execute(statement, values))

    def _write(self) -> None:
        connection = _connect(self.path)
        is_open = True
        while is_open:
            batch, is_open = self._collect()
            if batch:
                _commit(connection, self.path, batch)
        connection.close()

    def _collect(self) -> "tuple[list[_Piece], bool]":
        batch: list[_Piece] = []
        item = self._waiting.get()
        while item is not None:
            batch.append(item)
            if len(batch) >= MAX_BATCH:
                return batch, True
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False


def _make_row(event_id: str, kind: str, client: str, body: str) -> EventRow:
    return event_id, kind, client, _now(), hashlib.blake2b(body.encode(), digest_size=16).digest(), body


def _insert_events(connection: sqlite3.Connection, rows: list[EventRow]) -> list[Receipt]:
    """Stores all rows with one statement.

    Every statement gives the interpreter away and has to get it back from the thread that answers requests: row by
    row, a batch of two hundred took ten times as long.
    """
    if not rows:
        return []
    known: dict[str, bytes] = dict(connection.execute(SELECT_KNOWN, [json.dumps([row[0] for row in rows])]))
    receipts: list[Receipt] = []
    new: list[EventRow] = []
    for row in rows:
        if row[0] not in known:
            known[row[0]] = row[4]
            new.append(row)
            receipts.append("stored")
        else:
            receipts.append("repeated" if known[row[0]] == row[4] else "conflict")
    if new:
        connection.execute(
            f"{INSERT} {', '.join(['(?, ?, ?, ?, ?, ?)'] * len(new))}",
            list(itertools.chain.from_iterable(new)),
        )
    return receipts


def _commit(connection: sqlite3.Connection, path: Path, batch: list[_Piece]) -> None:
    """Does all work of a batch in one transaction; a piece that fails is undone alone, the others stand."""
    try:
        connection.execute("begin immediate")
        results = _do_all(connection, batch)
        connection.execute("commit")
    except Exception as error:  # noqa: BLE001 - whoever waits must be told, and the next batch be tried
        with contextlib.suppress(sqlite3.Error):
            connection.execute("rollback")
        failure = JournalError(f"{path}: {error}", "free some space or check the rights of the folder")
        results = [failure] * len(batch)
    _tell([(piece.future, result) for piece, result in zip(batch, results, strict=True)])


def _tell(told: "list[tuple[Future[Any] | asyncio.Future[Any], Any]]") -> None:
    """Hands every result to whoever waits for it."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for future, result in told:
        if isinstance(future, asyncio.Future):
            by_loop.setdefault(future.get_loop(), []).append((future, result))
        elif future.set_running_or_notify_cancel():
            _settle(future, result)
    for loop, pairs in by_loop.items():
        # A loop that has ended has nobody waiting.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle_all, pairs)


def _settle_all(pairs: "list[tuple[asyncio.Future[Any], Any]]") -> None:
    for future, result in pairs:
        if not future.done():
            _settle(future, result)


def _settle(future: "Future[Any] | asyncio.Future[Any]", result: Any) -> None:
    if isinstance(result, CuratorError):
        future.set_exception(result)
    else:
        future.set_result(result)


def _do_all(connection: sqlite3.Connection, batch: list[_Piece]) -> list[Any]:
    receipts = iter(_insert_events(connection, [piece.row for piece in batch if isinstance(piece, _Arrival)]))
    return [next(receipts) if isinstance(piece, _Arrival) else _do(connection, piece) for piece in batch]


def _do(connection: sqlite3.Connection, piece: _Work) -> Any:
    if not piece.may_fail:
        return piece.work(connection)
    connection.execute("savepoint piece")
    try:
        result = piece.work(connection)
    except CuratorError as error:
        connection.execute("rollback to piece")
        result = error
    connection.execute("release piece")
    return result


def _connect(path: Path) -> sqlite3.Connection:
    # Autocommit: transactions are begun and ended here, not by the module. A connection is used by one thread at a
    # time, but closed by whichever ends.
    connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    connection.execute("pragma journal_mode = wal")
    # FULL syncs the log at every commit; NORMAL would lose the last ones when the power fails.
    connection.execute("pragma synchronous = full")
    connection.execute("pragma secure_delete = on")
    return connection


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@contextlib.contextmanager
def _translate(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise JournalError(f"{path}: {error}", "check the rights and the free space of the folder") from error
