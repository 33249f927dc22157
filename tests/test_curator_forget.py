"""What is forgotten is gone from every file of the project, and never comes in again."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from curator.cli.app import run
from curator.doctor import examine
from curator.project import open_project
from curator.statistics import read_status
from warehouse import open_snapshot, open_warehouse

MARKER = "the purple kettlebell of Montevideo rolls uphill at midnight"
TOPICS = ["squat", "bench press", "deadlift", "row", "protein", "sleep", "deload", "habit", "warm-up", "pull-up"]
CATEGORIES = ["technique", "programming", "nutrition", "recovery", "motivation", "special_populations"]


def make_rows() -> list[dict[str, str]]:
    rows = []
    for number, topic in enumerate(TOPICS * 6):
        place = f"case {number} of the {topic}, which a coach in town {number * 37} saw in week {number}"
        rows.append(
            {
                "question": f"What should I do about {place}?",
                "answer": f"For {place}: lower the load by {number + 2} per cent, keep the set short, rest for {number + 60} "
                f"seconds, write down how the {topic} felt, and come back to it after {number % 9 + 2} days of easy work.",
                "category": CATEGORIES[number % 6],
            }
        )
    rows[7]["answer"] += f" Remember that {MARKER}."
    return rows


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("forget")
    source = base / "outside" / "cases.jsonl"
    source.parent.mkdir()
    source.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in make_rows()))
    project = base / "project"
    project.mkdir()
    (project / "curator.toml").write_text(
        f'pack = "fitness"\n[[ingest]]\nsource = "dataset"\npath = [{json.dumps(str(source))}]\n'
        'licence = "CC0-1.0"\npermission = "own"\n[balance]\ntolerance = 0.5\n',
        encoding="utf-8",
    )
    assert run(["-C", str(project), "run", "--format", "messages"]) == 0
    return project


@pytest.fixture
def folder(made: Path) -> Iterator[Path]:
    """The project as made; in its own place, because the record of an export holds its path."""
    parked = made.with_name("parked")
    shutil.copytree(made, parked)
    yield made
    shutil.rmtree(made)
    parked.rename(made)


def find_files(folder: Path, text: str) -> list[str]:
    return [p.name for p in folder.rglob("*") if p.is_file() and text.encode() in p.read_bytes()]


def read_marked_id(folder: Path) -> str:
    with open_snapshot(open_project(folder).snapshots) as snapshot:
        rows = snapshot.connection.execute("select id from examples where messages like '%Montevideo%'").fetchall()
    assert len(rows) == 1
    return str(rows[0][0])


def test_no_byte_and_no_value_of_it_is_left(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "train.jsonl" in find_files(folder, MARKER) or "test.jsonl" in find_files(folder, MARKER)
    marked = read_marked_id(folder)
    capsys.readouterr()
    assert run(["-C", str(folder), "forget", "--id", marked, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["documents"] == 1
    assert report["remains"] == []
    assert find_files(folder, MARKER) == []
    with open_warehouse(open_project(folder).database) as warehouse:
        tables = [row[0] for row in warehouse.connection.execute("select table_name from duckdb_tables()").fetchall()]
        dumps = [
            str(warehouse.connection.sql(f"select * from {table}").to_arrow_table().to_pylist()) for table in tables
        ]
    assert not any("Montevideo" in dump for dump in dumps)


def test_it_is_refused_when_it_comes_again_and_the_rest_stays(folder: Path) -> None:
    with open_snapshot(open_project(folder).snapshots) as snapshot:
        before = int(snapshot.read("funnel")["documents"][0])
    assert run(["-C", str(folder), "forget", "--id", read_marked_id(folder)]) == 0
    assert run(["-C", str(folder), "run", "--format", "messages"]) == 0
    with open_snapshot(open_project(folder).snapshots) as snapshot:
        assert int(snapshot.read("funnel")["documents"][0]) == before - 1
    assert find_files(folder, MARKER) == []


def test_the_old_release_is_withdrawn_and_its_lock_keeps_a_tombstone(folder: Path) -> None:
    release = next((folder / "releases").iterdir()).name
    assert run(["-C", str(folder), "forget", "--id", read_marked_id(folder)]) == 0
    assert run(["-C", str(folder), "export", "--release", release]) == 1
    lock = orjson.loads((folder / "releases" / release / "corpus.lock").read_bytes())
    assert lock["is_withdrawn"] is True
    assert len(lock["tombstones"]) == 1


def test_rebuild_writes_the_export_again_without_it(folder: Path) -> None:
    assert run(["-C", str(folder), "forget", "--id", read_marked_id(folder), "--rebuild"]) == 0
    (train,) = (folder / "exports").glob("*/messages/train.jsonl")
    assert MARKER not in train.read_text(encoding="utf-8")


def test_a_search_that_still_finds_it_says_where_and_fails(folder: Path) -> None:
    (folder / "my-notes.txt").write_text(make_rows()[7]["answer"], encoding="utf-8")
    assert run(["-C", str(folder), "forget", "--id", read_marked_id(folder)]) == 1


def test_what_its_source_deleted_is_forgotten_at_the_next_ingest(tmp_path: Path) -> None:
    post = {
        "id": "abc1",
        "title": "How do I brace for squats?",
        "selftext": f"Asking for my squat, {MARKER}.",
        "score": 5,
        "subreddit": "Fitness",
        "created_utc": 1700000000,
        "author": "someone",
        "num_comments": 0,
        "retrieved_on": 1700001000,
    }
    dump = tmp_path / "RS_2023-11.ndjson"
    dump.write_bytes(orjson.dumps(post) + b"\n")
    project = tmp_path / "project"
    assert run(["init", str(project)]) == 0
    assert run(["-C", str(project), "ingest", "reddit", "--dump", str(dump)]) == 0
    gone = post | {"retrieved_on": 1800000000, "_meta": {"was_deleted_later": True}}
    later = tmp_path / "RS_2023-12.ndjson"
    later.write_bytes(orjson.dumps(gone) + b"\n")
    assert run(["-C", str(project), "ingest", "reddit", "--dump", str(later)]) == 0
    with open_snapshot(open_project(project).snapshots) as snapshot:
        assert int(snapshot.read("funnel")["documents"][0]) == 0
    assert run(["-C", str(project), "ingest", "reddit", "--dump", str(dump)]) == 0
    with open_snapshot(open_project(project).snapshots) as snapshot:
        assert int(snapshot.read("funnel")["documents"][0]) == 0


KILLED = """
import os, signal, sys
import curator.forgetting as stage
from curator.cli.app import run

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(stage, sys.argv[1], die)
run(sys.argv[2:])
"""


@pytest.mark.parametrize("step", ["erase_rows", "compact_database", "_rewrite_locks", "publish_snapshot"])
def test_a_kill_at_any_step_is_made_up_for_by_the_next_command(folder: Path, step: str) -> None:
    marked = read_marked_id(folder)
    code = [sys.executable, "-P", "-c", KILLED, step, "-C", str(folder), "forget", "--id", marked]
    assert subprocess.run(code, check=False, capture_output=True).returncode == -signal.SIGKILL
    # Everywhere but after the last step something of it is left, and the project says that it is.
    assert find_files(folder, "Montevideo") or step == "publish_snapshot"
    assert "not finished" in read_status(open_project(folder))["forgetting"]
    assert "forgetting" in [finding.what for finding in examine(folder) if finding.is_problem]
    assert run(["-C", str(folder), "-q", "curate"]) == 0
    assert find_files(folder, "Montevideo") == []
    assert "forgetting" not in read_status(open_project(folder))
    (release,) = (folder / "releases").iterdir()
    lock = orjson.loads((release / "corpus.lock").read_bytes())
    assert (lock["is_withdrawn"], len(lock["tombstones"])) == (True, 1)
    assert marked not in [row[0] for row in lock["members"]]
    with open_warehouse(open_project(folder).database) as warehouse:
        assert warehouse.read("tombstones")["kind"].to_list() == ["document"]


def test_resume_finishes_a_killed_one_and_says_when_there_is_none(folder: Path, cli) -> None:
    code = [sys.executable, "-P", "-c", KILLED, "compact_database", "-C", str(folder), "forget", "--source", "dataset"]
    assert subprocess.run(code, check=False, capture_output=True).returncode == -signal.SIGKILL
    assert find_files(folder, "Montevideo")
    assert "finished what was left" in cli(folder, "forget", "--resume").err
    assert find_files(folder, "Montevideo") == []
    assert "nothing was left" in cli(folder, "forget", "--resume").err


def test_dry_run_changes_nothing_and_an_unknown_thing_is_a_usage_error(folder: Path) -> None:
    assert run(["-C", str(folder), "forget", "--source", "dataset", "--dry-run"]) == 0
    assert read_marked_id(folder)
    assert run(["-C", str(folder), "forget", "--url", "https://nowhere.example/1"]) == 2
    assert run(["-C", str(folder), "forget"]) == 2
