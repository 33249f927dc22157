"""The journal: what it acknowledges is on the disk, once, and decisions can be taken back until somebody has them."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.journal import Journal, JournalError
from curator.service.errors import ServiceError
from curator.service.reviewing import ReviewDesk, begin_drain, end_drain
from schemas.decision import Decision

ROWS = [f"{n:032x}" for n in range(40)]

WRITER = """
import json, sys
from pathlib import Path
from curator.journal import Journal
journal = Journal(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    futures = {f"event-{number + n}": None for n in range(20)}
    for name in futures:
        futures[name] = journal.append_event(name, "rating", "app", json.dumps({"event_id": name}))
    for name, future in futures.items():
        future.result()
        print(name, flush=True)
    number += 20
"""


@pytest.fixture
def journal(tmp_path):
    opened = Journal(tmp_path / "journal.db")
    yield opened
    opened.close()


def decide(subject, kind="accept", reviewer="ann", **parts):
    return Decision(kind=kind, subject=subject, reviewer=reviewer, decided_at=datetime.now(UTC), **parts)


def test_an_event_is_stored_once_and_another_with_its_id_is_refused(journal):
    receipts = [journal.append_event("event-01", "rating", "app", body).result() for body in ("{}", "{}", '{"a":1}')]
    assert receipts == ["stored", "repeated", "conflict"]
    (event,) = journal.read_events()
    assert (event.event_id, event.client, event.body, event.sequence) == ("event-01", "app", "{}", 1)


arrivals = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["{}", '{"a":1}'])), max_size=30)


@settings(max_examples=40, deadline=None)
@given(batches=st.lists(arrivals, max_size=4))
def test_events_that_are_stored_together_fare_as_if_they_came_one_by_one(tmp_path_factory, batches):
    journal = Journal(tmp_path_factory.mktemp("journal") / "journal.db")
    stored, expected, found = {}, [], []
    for batch in batches:
        is_free = threading.Event()
        # While the writer stands still everything else gathers into one transaction.
        journal.submit(lambda _, is_free=is_free: is_free.wait(10))
        futures = [journal.append_event(f"event-{name}", "rating", "app", body) for name, body in batch]
        is_free.set()
        found += [future.result(10) for future in futures]
        for name, body in batch:
            expected.append("stored" if name not in stored else "repeated" if stored[name] == body else "conflict")
            stored.setdefault(name, body)
    assert found == expected
    assert [(event.event_id, event.body) for event in journal.read_events()] == [
        (f"event-{name}", body) for name, body in stored.items()
    ]
    journal.close()


def test_coroutines_get_their_receipts_and_a_loop_that_has_ended_holds_nobody_up(journal):
    async def send(names):
        return await asyncio.gather(*(journal.append_event_async(name, "rating", "app", "{}") for name in names))

    assert asyncio.run(send(["event-01", "event-02", "event-01"])) == ["stored", "stored", "repeated"]

    async def leave():
        await asyncio.wait_for(journal.append_event_async("event-03", "rating", "app", "{}"), 0.01)

    is_free = threading.Event()
    journal.submit(lambda _: is_free.wait(10))
    with pytest.raises(TimeoutError):
        asyncio.run(leave())
    is_free.set()
    assert journal.append_event("event-04", "rating", "app", "{}").result(10) == "stored"
    assert len(journal.read_events()) == 4


def test_events_are_read_in_order_from_a_place_on(journal):
    for n in range(7):
        journal.append_event(f"event-{n:02d}", "rating", "app", "{}").result()
    assert [event.event_id for event in journal.read_events(after=2, limit=3)] == ["event-02", "event-03", "event-04"]
    assert journal.read_events(after=7) == []
    assert journal.count_events() == {"rating": 7}


def test_many_threads_store_every_event_once(journal):
    def send(offset):
        futures = [journal.append_event(f"event-{n:04d}", "rating", "app", "{}") for n in range(offset, offset + 60)]
        receipts.extend(future.result() for future in futures)

    receipts = []
    # Each event is sent by two threads.
    threads = [threading.Thread(target=send, args=(30 * n,)) for n in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert receipts.count("stored") == len(journal.read_events()) == 270
    assert receipts.count("repeated") == 480 - 270


def test_what_was_acknowledged_survives_a_kill_in_the_middle(tmp_path):
    path, acknowledged = tmp_path / "journal.db", set()
    for round_number in range(3):
        command = [sys.executable, "-P", "-c", WRITER, str(path), str(round_number * 100_000)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for line in writer.stdout:
            acknowledged.add(line.strip())
            if len(acknowledged) % 50 == 0:
                os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
    journal = Journal(path)
    stored = [event.event_id for event in journal.read_events(limit=100_000)]
    journal.close()
    assert len(acknowledged) > 100
    assert acknowledged <= set(stored)
    assert len(stored) == len(set(stored))


def test_a_journal_that_cannot_be_written_says_so_and_keeps_what_it_has(tmp_path):
    path = tmp_path / "journal.db"
    journal = Journal(path)
    journal.append_event("event-01", "rating", "app", "{}").result()
    journal.submit(lambda connection: connection.execute("pragma query_only = on"), may_fail=False).result()
    with pytest.raises(JournalError, match="readonly"):
        journal.append_event("event-02", "rating", "app", "{}").result()
    assert [event.event_id for event in journal.read_events()] == ["event-01"]
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        journal.append_event("event-03", "rating", "app", "{}")


def test_a_path_that_is_no_file_is_refused_with_its_name(tmp_path):
    with pytest.raises(JournalError, match=str(tmp_path)):
        Journal(tmp_path)


def test_only_the_owner_may_read_the_journal(journal):
    assert journal.path.stat().st_mode & 0o077 == 0


def test_two_reviewers_never_get_the_same_row_however_they_ask(tmp_path):
    journals = [Journal(tmp_path / "journal.db"), Journal(tmp_path / "journal.db")]
    desks = [ReviewDesk(journal, 900) for journal in journals]
    got = {}

    def work(name, desk):
        got[name] = {row for _ in range(10) for row in desk.claim(name, ROWS, 5)}

    threads = [threading.Thread(target=work, args=(f"reviewer-{n}", desks[n % 2])) for n in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    [journal.close() for journal in journals]
    assert sum(map(len, got.values())) == len(set().union(*got.values())) == 30


def test_a_claim_ends_with_its_lease_or_when_the_row_is_given_back(journal):
    short, long = ReviewDesk(journal, 2.0), ReviewDesk(journal, 900)
    assert short.claim("ann", ROWS[:1], 1) == ROWS[:1]
    assert long.claim("bob", ROWS[:1], 1) == []
    time.sleep(2.1)
    assert long.claim("bob", ROWS[:1], 1) == ROWS[:1]
    assert (long.release("ann", ROWS[:1]), long.release("bob", ROWS[:1])) == (0, 1)
    assert long.claim("ann", ROWS[:1], 1) == ROWS[:1]


def test_nobody_decides_about_a_row_that_another_looks_at(journal):
    desk = ReviewDesk(journal, 900)
    desk.claim("ann", ROWS[:2], 1)
    with pytest.raises(ServiceError, match="ann is looking at it") as refused:
        desk.decide(decide(ROWS[0], reviewer="bob"))
    assert refused.value.status == 409
    assert desk.decide(decide(ROWS[0])).sequence == 1
    assert desk.list_decided() == {ROWS[0]}
    assert desk.claim("bob", ROWS[:2], 2) == ROWS[:2]


def test_an_undone_decision_is_drained_by_nobody_and_its_row_is_the_reviewers_again(journal):
    desk = ReviewDesk(journal, 900)
    desk.decide(decide(ROWS[0]))
    desk.decide(decide(ROWS[1], "reject", reason="wrong"))
    undone = desk.undo("ann")
    assert (undone.decision.subject, undone.is_taken) == (ROWS[1], False)
    assert desk.claim("bob", ROWS[1:2], 1) == []
    decisions, last = begin_drain(journal)
    assert [decision.subject for decision in decisions] == [ROWS[0]]
    end_drain(journal, last)
    assert begin_drain(journal)[0] == []
    with pytest.raises(ServiceError, match="no such decision"):
        desk.undo("bob")


def test_undoing_what_was_drained_gives_the_opposite_and_an_accept_has_none(journal):
    desk = ReviewDesk(journal, 900)
    desk.decide(decide(ROWS[0], "reject"))
    desk.decide(decide(ROWS[1], "relabel", category="recovery"))
    desk.decide(decide(ROWS[2]))
    # Begun is enough: whoever drains may have stored them although it did not come to its end.
    begin_drain(journal)
    with pytest.raises(ServiceError, match="accepted already"):
        desk.undo("ann")
    assert [desk.undo("ann", sequence).is_taken for sequence in (2, 1)] == [True, True]
    end_drain(journal, 3)
    opposite = [(decision.kind, decision.subject, decision.category) for decision in begin_drain(journal)[0]]
    assert opposite == [("relabel", ROWS[1], None), ("accept", ROWS[0], None)]


def test_a_drain_that_died_is_repeated_with_the_same_ids(journal):
    desk = ReviewDesk(journal, 900)
    desk.decide(decide(ROWS[0]))
    first, _ = begin_drain(journal)
    again, last = begin_drain(journal)
    assert [decision.id for decision in first] == [decision.id for decision in again]
    assert (len(first), last) == (1, 1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["claim", "decide", "undo", "release"]), st.sampled_from("abc"),
                          st.integers(0, 5)), max_size=25))  # fmt: skip
def test_whatever_happens_each_row_has_one_holder_and_one_last_word(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("desk") / "journal.db"
    journal = Journal(path)
    desk = ReviewDesk(journal, 900)
    standing, holders = [], {}
    for what, who, number in steps:
        row = ROWS[number]
        if what == "claim":
            for claimed in desk.claim(who, ROWS[:6], 2):
                assert holders.setdefault(claimed, who) == who
        elif what == "release":
            desk.release(who, [row])
            holders = {held: name for held, name in holders.items() if (held, name) != (row, who)}
        elif what == "decide" and holders.get(row, who) == who:
            standing.append((desk.decide(decide(row, reviewer=who)).sequence, who, row))
            holders.pop(row, None)
        elif what == "undo" and any(name == who for _, name, _ in standing):
            last = max(found for found in standing if found[1] == who)
            assert desk.undo(who).sequence == last[0]
            standing.remove(last)
            holders.setdefault(last[2], who)
    assert [decision.subject for decision in begin_drain(journal)[0]] == [row for _, _, row in sorted(standing)]
    journal.close()


def test_bodies_are_stored_as_they_were_sent(journal):
    body = json.dumps({"text": "سكوات \u2028 \u200f \x00 '\""}, ensure_ascii=False)
    journal.append_event("event-01", "correction", "app", body).result()
    assert journal.read_events()[0].body == body
    assert Path(journal.path).name == "journal.db"
