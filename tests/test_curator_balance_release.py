"""A release that settings lead back to is the latest one again."""

from pathlib import Path

import orjson
import pytest

from curator.cli.app import run
from curator.project import open_project
from warehouse import open_snapshot

CATEGORIES = ["technique", "programming", "nutrition", "recovery", "motivation", "special_populations"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        {
            "question": f"What helps in situation {number} of week {number * 31}?",
            "answer": f"In situation {number} you lower the load by {number + 1} per cent, rest for {number + 30} seconds more, "
            f"and write down what changed on day {number % 7}, so that week {number + 2} can start from there.",
            "category": CATEGORIES[number % 6],
        }
        for number in range(90)
    ]
    (tmp_path / "rows.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    project = tmp_path / "project"
    assert run(["init", str(project)]) == 0
    assert run(["-C", str(project), "ingest", "dataset", str(tmp_path / "rows.jsonl")]) == 0
    assert run(["-C", str(project), "curate"]) == 0
    return project


def balance(folder: Path, size: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert run(["-C", str(folder), "balance", "--size", size, "--json"]) == 0
    return str(orjson.loads(capsys.readouterr().out)["release_id"])


def test_export_takes_the_release_that_was_balanced_last(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = balance(folder, "20", capsys)
    second = balance(folder, "40", capsys)
    assert first != second
    assert balance(folder, "20", capsys) == first
    assert run(["-C", str(folder), "export", "--json"]) == 0
    assert orjson.loads(capsys.readouterr().out)["release_id"] == first
    with open_snapshot(open_project(folder).snapshots) as snapshot:
        assert snapshot.read("snapshot_releases")["id"].to_list() == [first, second]


def test_a_dry_run_without_data_makes_no_database(tmp_path: Path) -> None:
    assert run(["init", str(tmp_path / "empty")]) == 0
    for command in ("curate", "balance", "export"):
        assert run(["-C", str(tmp_path / "empty"), command, "--dry-run"]) == 2
    assert not (tmp_path / "empty" / "curator.db").exists()
