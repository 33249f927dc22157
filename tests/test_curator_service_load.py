"""Many clients at once while an ingest runs and the service is killed: nothing acknowledged is lost, nothing doubled."""

import asyncio
import importlib.util
import json
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from curator.journal import Journal
from curator.service.tokens import TokenStore
from schemas.feedback import EVENT_ADAPTER

_spec = importlib.util.spec_from_file_location("event_load", Path(__file__).with_name("event_load.py"))
event_load = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(event_load)
CLIENTS, EVENTS = 20, 600


@pytest.fixture
def served(tmp_path):
    """A project that is ingested into while it is served, and a token for each client."""
    (tmp_path / "curator.toml").write_text('pack = "fitness"\n')
    store = TokenStore(tmp_path / ".curator" / "tokens.json")
    tokens = [store.add(f"client-{n}", ["feedback"]) for n in range(CLIENTS)]
    service = event_load.RunningService(tmp_path)
    command = [
        sys.executable,
        "-P",
        "-m",
        "curator",
        "-q",
        "-C",
        str(tmp_path),
        "ingest",
        "synthetic",
        "--count",
        "500",
    ]
    ingest = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    yield service, tokens
    service.stop()
    _, complaint = ingest.communicate(timeout=120)
    assert (ingest.returncode, complaint) == (0, "")


def test_nothing_is_lost_and_nothing_doubled_when_the_service_is_killed_in_the_middle(served):
    service, tokens = served
    is_half = threading.Event()

    def kill_once():
        is_half.wait()
        service.kill()
        service.start()

    killer = threading.Thread(target=kill_once)
    killer.start()
    post = event_load.post_all(
        service.port, tokens, EVENTS, lambda done: is_half.set() if done == EVENTS // 2 else None
    )
    latencies, answers = asyncio.run(post)
    killer.join()
    assert len(latencies) == EVENTS
    assert set(answers) <= {"stored", "repeated"}
    rows = sqlite3.connect(service.project / ".curator" / "journal.db").execute("select event_id, body from event")
    stored = dict(rows.fetchall())
    assert set(stored) == {f"event-{n:08d}" for n in range(EVENTS)}
    sent = EVENT_ADAPTER.validate_json(json.dumps(event_load.make_event(17)))
    assert EVENT_ADAPTER.validate_json(stored["event-00000017"]) == sent
    # The journal of a service that runs can be read by whoever drains it.
    journal = Journal(service.project / ".curator" / "journal.db")
    assert len(journal.read_events(limit=EVENTS + 1)) == EVENTS
    assert [event.sequence for event in journal.read_events()] == sorted(e.sequence for e in journal.read_events())
    journal.close()
    assert json.loads(stored["event-00000000"])["kind"] == "rating"
