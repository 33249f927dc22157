"""The connector of feedback: each event once, without its user's name, from files and from the journal."""

import json
import sqlite3
from datetime import UTC, datetime

import pytest

from curator.journal import Journal
from schemas.errors import ConfigError, SourceError
from sources.feedback import FeedbackSource
from sources.feedback.source import FeedbackOptions
from sources.packs.loader import load_pack
from sources.protocol import SourceContext

PACK = load_pack("fitness")


def make_event(number=1, kind="rating", **changes):
    common = {
        "kind": kind,
        "event_id": f"event-{number:04d}",
        "occurred_at": "2026-03-01T10:00:00Z",
        "user": "Ann Quickfoot",
        "recommendation_id": "shown-0001",
    }
    own = {
        "rating": {"rating": 4},
        "recommendation": {"prompt": [{"role": "user", "content": "Squat  or Rest?"}], "answer": "Rest.", "model": "m"},
    }
    return {**common, **own.get(kind, {}), **changes}


def read_all(root, stored=(), after=None, **options):
    context = SourceContext(
        root=root, pack=PACK, now=datetime(2026, 4, 1, tzinfo=UTC), stored_keys=lambda: iter(stored)
    )
    batches = list(FeedbackSource(FeedbackOptions(**options), context).read(after))
    rows = [row for batch in batches for row in batch.documents.iter_rows(named=True)]
    return rows, [item for batch in batches for item in batch.rejections], batches[-1].cursor


def write_lines(path, *events):
    path.write_text("".join((event if isinstance(event, str) else json.dumps(event)) + "\n" for event in events))
    return path


def test_an_event_becomes_a_document_without_its_user(tmp_path):
    rows, refused, _ = read_all(tmp_path, path=[write_lines(tmp_path / "e.jsonl", make_event())])
    assert refused == []
    (row,) = rows
    assert (row["kind"], row["natural_key"], row["source"]) == ("event", "event-0001", "feedback")
    assert json.loads(row["content"])["rating"] == 4
    assert "Quickfoot" not in str(row)
    assert row["author_hash"]
    assert row["created_at"] == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_good_events_beside_bad_ones_are_kept_and_each_bad_one_names_its_line(tmp_path):
    path = write_lines(
        tmp_path / "e.jsonl",
        "{broken",
        make_event(1, rating=9),
        make_event(2),
        json.dumps(make_event(3)) + " " * (2**20),
        make_event(2, rating=1),
        make_event(4, occurred_at="2026-03-01T10:00:00"),
        make_event(5),
    )
    rows, refused, _ = read_all(tmp_path, path=[path])
    assert [row["natural_key"] for row in rows] == ["event-0002", "event-0005"]
    assert [(item.where, item.reason) for item in refused] == [
        ("e.jsonl:1", "invalid_event"),
        ("e.jsonl:2", "invalid_event"),
        ("e.jsonl:4", "line_too_long"),
        ("e.jsonl:5", "repeated_event"),
        ("e.jsonl:6", "invalid_event"),
    ]
    assert "rating" in refused[1].detail
    assert not refused[3].is_fault


def test_what_is_stored_already_is_a_repetition(tmp_path):
    path = write_lines(tmp_path / "e.jsonl", make_event(1), make_event(2))
    rows, refused, _ = read_all(tmp_path, stored=["event-0001"], path=[path])
    assert [row["natural_key"] for row in rows] == ["event-0002"]
    assert [item.reason for item in refused] == ["repeated_event"]


def test_the_journal_is_drained_and_drained_again_only_for_what_is_new(tmp_path):
    journal = Journal(tmp_path / ".curator" / "journal.db")

    def add(number):
        event = make_event(number)
        journal.append_event(event["event_id"], event["kind"], "phone-app", json.dumps(event)).result(5)

    add(1)
    add(2)
    rows, _, cursor = read_all(tmp_path)
    assert [json.loads(row["metadata"])["client"] for row in rows] == ["phone-app"] * 2
    add(3)
    rows, refused, _ = read_all(tmp_path, after=cursor)
    assert ([row["natural_key"] for row in rows], refused) == (["event-0003"], [])
    journal.close()


def test_without_a_journal_there_is_nothing_to_drain_and_no_journal_is_made(tmp_path):
    assert read_all(tmp_path)[0] == []
    assert not (tmp_path / ".curator").exists()


def test_a_file_that_is_no_journal_is_named(tmp_path):
    (tmp_path / ".curator").mkdir()
    (tmp_path / ".curator" / "journal.db").write_text("no database")
    with pytest.raises(SourceError, match=r"journal\.db"):
        read_all(tmp_path)
    sqlite3.connect(tmp_path / "empty.db").close()


def test_a_missing_file_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.jsonl: no such file"):
        read_all(tmp_path, path=[tmp_path / "absent.jsonl"])


def test_like_inputs_have_one_key_and_others_another(tmp_path):
    prompts = ["Squat  or Rest?", "squat or rest?", "Squat or run?"]
    events = [
        make_event(n, "recommendation", recommendation_id=f"shown-{n:04d}", prompt=[{"role": "user", "content": text}])
        for n, text in enumerate(prompts)
    ]
    rows, _, _ = read_all(tmp_path, path=[write_lines(tmp_path / "e.jsonl", *events)])
    keys = [json.loads(row["metadata"])["prompt_key"] for row in rows]
    assert keys[0] == keys[1] != keys[2]
