"""Reviewing by several people at once: claims with a lease, decisions and their undoing, in the journal.

A row of the queue belongs to one reviewer for the time of a lease; claims are made in the journal's one writing thread
and file, so neither two requests nor two services give one row away twice.
"""

import sqlite3
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from curator.journal import Journal
from curator.service.errors import ServiceError
from schemas.decision import Decision

WHAT = "decision"


@dataclass(frozen=True)
class StoredDecision:
    """A decision in the journal.

    Attributes:
        sequence: Its place there.
        decision: What was decided.
        is_taken: `curator review apply` has taken it, so it can only be taken back by another decision.
    """

    sequence: int
    decision: Decision
    is_taken: bool


class ReviewDesk:
    """Claims and decisions of all reviewers.

    Args:
        journal: Where they are kept.
        lease_s: Seconds for which a claimed row is one reviewer's.
    """

    def __init__(self, journal: Journal, lease_s: float) -> None:
        self._journal = journal
        self._lease_s = lease_s

    def claim(self, reviewer: str, candidates: Sequence[str], count: int) -> list[str]:
        """Gives rows to a reviewer: first those that are theirs already, then free ones, in the order of the candidates.

        Args:
            reviewer: Who asks.
            candidates: Ids in the order of the queue.
            count: Rows wanted.
        """
        future = self._journal.submit(
            lambda connection: _claim(connection, reviewer, candidates, count, self._lease_s, time.time())
        )
        claimed: list[str] = future.result()
        return claimed

    def release(self, reviewer: str, subjects: Iterable[str]) -> int:
        """Gives rows back to the queue and tells how many were the reviewer's."""
        rows = [(subject, reviewer) for subject in subjects]
        statement = "delete from claim where example_id = ? and reviewer = ?"
        freed: int = self._journal.submit(lambda connection: connection.executemany(statement, rows).rowcount).result()
        return freed

    def decide(self, decision: Decision) -> StoredDecision:
        """Stores a decision and frees the row.

        Raises:
            ServiceError: Another reviewer has the row (409).
        """
        named = decision.model_copy(update={"id": uuid.uuid4().hex})
        sequence: int = self._journal.submit(lambda connection: _decide(connection, named, time.time())).result()
        return StoredDecision(sequence, named, is_taken=False)

    def undo(self, reviewer: str, sequence: int | None = None) -> StoredDecision:
        """Takes a decision of a reviewer back: the last standing one, or the one named; its row is theirs again.

        One that was taken out of the journal already is answered by its opposite: an accept after a reject or an edit, an
        empty relabel after a relabel.

        Raises:
            ServiceError: There is none (404), or an accept was taken already, which has no opposite (409).
        """
        lease_end = time.time() + self._lease_s
        undone: StoredDecision = self._journal.submit(
            lambda connection: _undo(connection, reviewer, sequence, lease_end)
        ).result()
        return undone

    def list_decided(self) -> set[str]:
        """Gives the rows with a standing decision, which need no further one."""
        rows = self._journal.read("select distinct subject from decision where not is_undone")
        return {str(row[0]) for row in rows}

    def list_decisions(self, reviewer: str | None, limit: int) -> list[StoredDecision]:
        """Gives the standing decisions of a reviewer, or of all, the newest first."""
        rows = self._journal.read(
            "select sequence, body from decision where not is_undone and (?1 is null or reviewer = ?1)"
            " order by sequence desc limit ?2",
            (reviewer, limit),
        )
        taken = _read_taken(self._journal)
        return [StoredDecision(row[0], Decision.model_validate_json(row[1]), row[0] <= taken) for row in rows]

    def count(self) -> dict[str, Any]:
        """Gives the standing decisions by kind and by reviewer, the rows in work, and the decisions that wait."""
        now = time.time()
        by_reviewer = self._journal.read(
            "select reviewer, count(*) from decision where not is_undone group by reviewer order by reviewer"
        )
        in_work = self._journal.read("select count(*) from claim where expires_at > ?", (now,))
        waiting = self._journal.read(
            "select count(*) from decision where not is_undone and sequence > ?", (_read_taken(self._journal),)
        )
        return {
            "by_kind": self._journal.count_decisions(),
            "by_reviewer": dict(by_reviewer),
            "in_work": in_work[0][0],
            "not_applied": waiting[0][0],
        }


def begin_drain(journal: Journal) -> tuple[list[Decision], int]:
    """Gives the standing decisions that nobody has taken yet and the number to end the drain with.

    From here on none of them can be undone in the journal; until `end_drain` another drain gives them again.
    """
    drained: tuple[list[Decision], int] = journal.submit(_begin_drain).result()
    return drained


def end_drain(journal: Journal, sequence: int) -> None:
    """Says that the decisions up to a number are stored elsewhere."""
    journal.submit(lambda connection: _keep_taken(connection, WHAT, sequence)).result()


def _begin_drain(connection: sqlite3.Connection) -> tuple[list[Decision], int]:
    (last,) = connection.execute("select coalesce(max(sequence), 0) from decision").fetchone()
    _keep_taken(connection, f"{WHAT}:begun", last)
    rows = connection.execute(
        "select body from decision where not is_undone and sequence <= ?"
        " and sequence > coalesce((select sequence from taken where what = ?), 0) order by sequence",
        (last, WHAT),
    ).fetchall()
    return [Decision.model_validate_json(row[0]) for row in rows], int(last)


def _keep_taken(connection: sqlite3.Connection, what: str, sequence: int) -> None:
    connection.execute(
        "insert into taken values (?, ?) on conflict (what) do update set sequence = max(sequence, excluded.sequence)",
        (what, sequence),
    )


def _read_taken(journal: Journal) -> int:
    rows = journal.read("select coalesce(max(sequence), 0) from taken where what in (?, ?)", (WHAT, f"{WHAT}:begun"))
    return int(rows[0][0])


def _claim(
    connection: sqlite3.Connection, reviewer: str, candidates: Sequence[str], count: int, lease_s: float, now: float
) -> list[str]:
    connection.execute("delete from claim where expires_at <= ?", (now,))
    held = dict(connection.execute("select example_id, reviewer from claim").fetchall())
    mine = [subject for subject in candidates if held.get(subject) == reviewer]
    free = [subject for subject in candidates if subject not in held]
    chosen = [*mine, *free][:count]
    connection.executemany(
        "insert into claim values (?, ?, ?) on conflict (example_id) do update set expires_at = excluded.expires_at",
        [(subject, reviewer, now + lease_s) for subject in chosen],
    )
    return chosen


def _decide(connection: sqlite3.Connection, decision: Decision, now: float) -> int:
    holder = connection.execute(
        "select reviewer from claim where example_id = ? and expires_at > ? and reviewer <> ?",
        (decision.subject, now, decision.reviewer),
    ).fetchone()
    if holder:
        raise ServiceError(409, f"row {decision.subject}: {holder[0]} is looking at it", "claim the next one")
    connection.execute("delete from claim where example_id = ?", (decision.subject,))
    return _insert(connection, decision)


def _insert(connection: sqlite3.Connection, decision: Decision) -> int:
    cursor = connection.execute(
        "insert into decision (decision_id, subject, kind, reviewer, body) values (?, ?, ?, ?, ?)",
        (decision.id, decision.subject, decision.kind, decision.reviewer, decision.model_dump_json(exclude_none=True)),
    )
    return int(cursor.lastrowid or 0)


def _undo(connection: sqlite3.Connection, reviewer: str, sequence: int | None, lease_end: float) -> StoredDecision:
    row = connection.execute(
        "select sequence, body, sequence <= coalesce((select max(sequence) from taken where what in (?3, ?4)), 0)"
        " from decision where reviewer = ?1 and not is_undone and (?2 is null or sequence = ?2)"
        " order by sequence desc limit 1",
        (reviewer, sequence, WHAT, f"{WHAT}:begun"),
    ).fetchone()
    if row is None:
        raise ServiceError(404, f"{reviewer} has no such decision to undo")
    found = StoredDecision(int(row[0]), Decision.model_validate_json(row[1]), bool(row[2]))
    if found.is_taken:
        _insert(connection, _find_opposite(found.decision))
    connection.execute("update decision set is_undone = 1 where sequence = ?", (found.sequence,))
    connection.execute(
        "insert into claim values (?, ?, ?) on conflict (example_id) do nothing",
        (found.decision.subject, reviewer, lease_end),
    )
    return found


def _find_opposite(decision: Decision) -> Decision:
    if decision.kind == "accept":
        raise ServiceError(409, "the row is accepted already", "reject it or write it anew")
    return Decision(
        id=uuid.uuid4().hex,
        kind="relabel" if decision.kind == "relabel" else "accept",
        subject=decision.subject,
        reviewer=decision.reviewer,
        decided_at=datetime.now(UTC),
        reason="undone",
        category=None,
        messages=None,
        rejected=None,
    )
