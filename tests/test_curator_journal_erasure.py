"""Forgetting reaches the journal of the service: events, decisions, and the bytes they leave in file and log."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from curator import journal_erasure
from curator.cli.app import run
from curator.journal import Journal, JournalError
from curator.journal_erasure import Meant, erase_entries, find_entries, list_texts
from curator.project import open_project
from curator.service.reviewing import ReviewDesk
from schemas.decision import Decision
from schemas.feedback import JOURNAL
from schemas.identity import hash_author
from warehouse import open_snapshot

MARKER = "the purple kettlebell of Montevideo rolls uphill at midnight"
SALT = b"salt"
NOW = "2026-03-02T18:30:00Z"


def event(name: str, kind: str, about: str, **values) -> dict:
    return {"event_id": name, "kind": kind, "recommendation_id": about, "occurred_at": NOW, **values}


def recommend(number: int, user: str, words: str) -> dict:
    turns = [
        {"role": "system", "content": "You are a coach who answers in plain words and with numbers."},
        {"role": "user", "content": f"My squat stalls at {100 + number} kilograms since {number + 2} weeks. {words}"},
    ]
    answer = (
        f"Take {number + 4} kilograms off the bar, do three sets of {number + 5}, and add two kilograms a week. {words}"
    )
    values = {"user": user, "prompt": turns, "answer": answer, "model": "coach-1"}
    return event(f"recommend-{number:03}", "recommendation", f"shown-{number:03}", **values)


EVENTS = [
    recommend(1, "Rosa", MARKER),
    event("rating-001", "rating", "shown-001", rating=5, comment=f"So true: {MARKER}."),
    recommend(2, "Ben", "My knees are fine."),
    event("rating-002", "rating", "shown-002", rating=5, user="Ben"),
]


def write_events(root: Path, events: list[dict] = EVENTS) -> Journal:
    journal = Journal(root / JOURNAL)
    for entry in events:
        receipt = journal.append_event(entry["event_id"], entry["kind"], "app", json.dumps(entry)).result()
        assert receipt == "stored"
    return journal


def decide(journal: Journal, subject: str, words: str) -> None:
    turns = [{"role": "user", "content": "How do I squat?"}, {"role": "assistant", "content": words}]
    decision = Decision.model_validate(
        {"kind": "edit", "subject": subject, "reviewer": "ann", "decided_at": datetime.now(UTC), "messages": turns}
    )
    ReviewDesk(journal, 60).decide(decision)


def find_bytes(root: Path, text: str) -> list[str]:
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file() and text.encode() in p.read_bytes())


def rosa() -> Meant:
    return Meant("author", [hash_author("rosa ", SALT)], SALT)


def test_what_an_author_sent_goes_with_all_replies_to_it_and_nobody_elses(tmp_path: Path) -> None:
    journal = write_events(tmp_path)
    assert erase_entries(tmp_path, rosa()).events == ["recommend-001", "rating-001"]
    assert [entry.event_id for entry in journal.read_events()] == ["recommend-002", "rating-002"]
    journal.close()


def test_no_byte_is_left_in_file_or_log_while_the_service_goes_on(tmp_path: Path) -> None:
    journal = write_events(tmp_path)
    decide(journal, "a" * 32, MARKER)
    assert find_bytes(tmp_path, MARKER)
    erase_entries(tmp_path, Meant("author", rosa().values, SALT, examples=["a" * 32]))
    assert find_bytes(tmp_path, "Montevideo") == []
    assert find_bytes(tmp_path, "My knees are fine.") == [str(JOURNAL)]
    late = recommend(9, "Ben", "And now?")
    assert journal.append_event("recommend-009", late["kind"], "app", json.dumps(late)).result() == "stored"
    assert journal.read_events()[-1].sequence == len(EVENTS) + 1
    journal.close()


def test_a_decision_goes_by_the_beginning_of_an_id_too_and_so_does_a_claim(tmp_path: Path) -> None:
    journal = write_events(tmp_path, [])
    decide(journal, "abcdef", MARKER)
    decide(journal, "abcdff", "Another row.")
    assert ReviewDesk(journal, 60).claim("ann", ["abcdef" + "0" * 26, "b" * 32], 2)
    found = erase_entries(tmp_path, Meant("source", ["dataset"], SALT, examples=["abcdef" + "0" * 26]))
    assert (len(found.decisions), found.claims) == (1, ["abcdef" + "0" * 26])
    assert journal.read("select subject from decision") == [("abcdff",)]
    assert journal.read("select example_id from claim") == [("b" * 32,)]
    journal.close()


@pytest.mark.parametrize(
    ("meant", "events"),
    [
        (Meant("source", ["feedback"], SALT), [entry["event_id"] for entry in EVENTS]),
        (Meant("source", ["reddit"], SALT), []),
        (Meant("document", ["rating-002"], SALT), ["rating-002"]),
        (Meant("document", ["recommend-002"], SALT), ["recommend-002", "rating-002"]),
        (Meant("url", ["https://a.example"], SALT, events=["rating-001"]), ["rating-001"]),
        (Meant("author", [hash_author("Rosa", b"pepper")], SALT), []),
    ],
)
def test_what_is_meant(tmp_path: Path, meant: Meant, events: list[str]) -> None:
    write_events(tmp_path).close()
    assert find_entries(tmp_path, meant).events == events


def test_nothing_is_made_where_there_is_no_journal(tmp_path: Path) -> None:
    assert erase_entries(tmp_path, rosa()).events == find_entries(tmp_path, rosa()).events == []
    assert list(tmp_path.iterdir()) == []


def test_who_keeps_the_file_busy_is_waited_for_and_then_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_erasure, "BUSY_S", 0.2)
    write_events(tmp_path).close()
    reader = sqlite3.connect(tmp_path / JOURNAL, isolation_level=None)
    reader.execute("begin")
    reader.execute("select count(*) from event").fetchall()
    with pytest.raises(JournalError, match=r"journal\.db") as caught:
        erase_entries(tmp_path, rosa())
    assert "curator forget --resume" in caught.value.hint
    reader.close()
    # The rows are gone already; what the log still held goes now.
    assert erase_entries(tmp_path, rosa()).events == []
    assert find_bytes(tmp_path, "Montevideo") == []


def test_only_what_people_wrote_is_searched_for() -> None:
    texts = list_texts(json.dumps(EVENTS[0]))
    assert any(MARKER in text for text in texts)
    assert not any(text.startswith(("You are a coach", "2026", "recommend-")) for text in texts)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which a marker stands in every place that is known to hold text."""
    root = tmp_path_factory.mktemp("made") / "project"
    assert run(["init", str(root)]) == 0
    journal = write_events(root)
    assert run(["-C", str(root), "ingest", "feedback"]) == 0
    assert run(["-C", str(root), "-q", "curate"]) == 0
    with open_snapshot(open_project(root).snapshots) as snapshot:
        query = "select id from examples where messages like '%Montevideo%'"
        (row,) = snapshot.connection.execute(query).fetchall()
    decide(journal, row[0], f"Lower the bar slowly. {MARKER}, and that is all.")
    assert run(["-C", str(root), "-q", "review", "apply"]) == 0
    late = [
        recommend(5, "rosa", f"{MARKER}, again."),
        event("rating-005", "rating", "shown-005", rating=4, comment=MARKER),
    ]
    for entry in late:
        journal.append_event(entry["event_id"], entry["kind"], "app", json.dumps(entry)).result()
    journal.close()
    for place in ("cache/llm/a.json", "scale/part.arrow", "sql_history"):
        (root / ".curator" / place).parent.mkdir(parents=True, exist_ok=True)
        (root / ".curator" / place).write_text(MARKER)
    return root


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "project"))


def test_forgetting_an_author_leaves_no_byte_anywhere(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = {str(JOURNAL), ".curator/cache/llm/a.json", ".curator/scale/part.arrow", ".curator/sql_history"}
    assert places <= set(find_bytes(folder, MARKER))
    capsys.readouterr()
    assert run(["-C", str(folder), "forget", "--author", "ROSA", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["documents"], report["events"], report["decisions"], report["remains"]) == (2, 4, 1, [])
    assert find_bytes(folder, "Montevideo") == []
    assert find_bytes(folder, "My knees are fine.")
    # What was never ingested cannot come in by a file either.
    again = folder.parent / "events.jsonl"
    again.write_text("".join(json.dumps(entry) + "\n" for entry in [*EVENTS, recommend(5, "rosa", MARKER)]))
    assert run(["-C", str(folder), "ingest", "feedback", str(again)]) == 0
    assert find_bytes(folder, "Montevideo") == []


def test_events_that_nobody_ingested_can_be_forgotten(tmp_path: Path) -> None:
    root = tmp_path / "project"
    assert run(["init", str(root)]) == 0
    write_events(root).close()
    assert run(["-C", str(root), "forget", "--author", "nobody"]) == 2
    assert run(["-C", str(root), "forget", "--author", "Rosa", "--dry-run"]) == 0
    assert find_bytes(root, MARKER)
    assert run(["-C", str(root), "forget", "--author", "Rosa"]) == 0
    assert find_bytes(root, "Montevideo") == []
    assert run(["-C", str(root), "ingest", "feedback"]) == 0
    with open_snapshot(open_project(root).snapshots) as snapshot:
        assert int(snapshot.read("funnel")["documents"][0]) == 2


KILLED = """
import os, signal, sys
import curator.forgetting as stage
from curator.cli.app import run

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(stage, sys.argv[1], die)
run(sys.argv[2:])
"""


def test_a_kill_before_the_journal_is_reached_is_made_up_for(folder: Path) -> None:
    code = [sys.executable, "-P", "-c", KILLED, "erase_entries", "-C", str(folder), "forget", "--author", "rosa"]
    done = subprocess.run(code, check=False, capture_output=True, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert str(JOURNAL) in find_bytes(folder, MARKER)
    assert run(["-C", str(folder), "-q", "curate"]) == 0
    assert find_bytes(folder, "Montevideo") == []
