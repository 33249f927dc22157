"""What Reddit no longer shows is forgotten here: live ingest, release, recheck, and the traces that are gone."""

import importlib.util
import json
from pathlib import Path

import pytest

from curator.project import open_project
from sources.reddit import client
from warehouse import open_snapshot

_spec = importlib.util.spec_from_file_location("reddit_stub", Path(__file__).with_name("reddit_stub.py"))
reddit_stub = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reddit_stub)

MARKER = "a wooden dowel along the spine shows at which depth the pelvis begins to tuck"
ANSWER = (
    "Film yourself from the side and lower the bar only as far as your back keeps its shape. For most lifters that is a "
    "little below parallel, and it gets deeper over some weeks when you add goblet squats and ankle work before training. "
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(client, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr("prawcore.sessions.FiniteRetryStrategy._sleep_seconds", lambda _self: None)
    (tmp_path / "curator.toml").write_text(
        'pack = "fitness"\n[balance]\ntolerance = 0.5\n'
        '[[ingest]]\nsource = "reddit"\nsubreddits = ["Fitness"]\nlisting = "new"\npermission = "granted"\n',
        encoding="utf-8",
    )
    with reddit_stub.RedditStub() as stub:
        for name, value in stub.environment.items():
            monkeypatch.setenv(name, value)
        for number, end in enumerate((MARKER, "keep the knees in line with the toes while you do it")):
            key = f"p{number}"
            stub.add_post(key, [None], title=f"How deep should I squat in week {number + 3} of a beginner programme?")
            stub.comments[key][0]["body"] = f"{ANSWER}Then {end}."
        yield tmp_path, stub


def test_what_reddit_no_longer_shows_is_gone_from_corpus_release_and_export(folder, cli):
    root, stub = folder
    assert cli(root, "run", "--format", "messages").code == 0
    with open_snapshot(open_project(root).snapshots) as snapshot:
        assert snapshot.connection.execute("select count(*) from corpus").fetchone() == (2,)
    written = list((root / "exports").rglob("*.jsonl"))
    assert any(MARKER in path.read_text(encoding="utf-8") for path in written)

    stub.comments["p0"][0]["body"] = "[removed]"
    found = cli(root, "ingest", "reddit", "--recheck", "--json")
    assert (found.code, json.loads(found.out)["deleted"]) == (0, 1)

    with open_snapshot(open_project(root).snapshots) as snapshot:
        assert snapshot.connection.execute("select count(*) from corpus").fetchone() == (1,)
    holders = [path for path in root.rglob("*") if path.is_file() and MARKER.encode() in path.read_bytes()]
    assert holders == []
    # The place is taken for good: it stays out even where somebody shows it again.
    stub.comments["p0"][0]["body"] = f"{ANSWER}Then {MARKER}."
    assert cli(root, "run").code in (0, 3)
    with open_snapshot(open_project(root).snapshots) as snapshot:
        assert snapshot.connection.execute("select count(*) from corpus").fetchone() == (1,)
