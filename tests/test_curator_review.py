"""A person's word: accepted rows may enter a release, rejected ones leave the corpus, and both survive reruns."""

from pathlib import Path

import orjson
import pytest

from curator.cli.app import run
from curator.project import open_project
from warehouse import open_snapshot

CATEGORIES = ["technique", "programming", "nutrition", "recovery", "motivation", "special_populations"]
UNSAFE = (
    "For a first cycle most people take 500 mg testosterone a week for twelve weeks and eat a lot of chicken and rice."
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        {
            "question": f"What helps in situation {number} of week {number * 31}?",
            "answer": f"In situation {number} you lower the load by {number + 1} per cent, rest for {number + 30} seconds more, "
            f"and write down what changed on day {number % 7}, so that week {number + 2} can start from there.",
            "category": CATEGORIES[number % 6],
        }
        for number in range(60)
    ]
    rows.append({"question": "How do I gain size faster this year?", "answer": UNSAFE, "category": "nutrition"})
    (tmp_path / "rows.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    project = tmp_path / "project"
    assert run(["init", str(project)]) == 0
    (project / "curator.toml").write_text('pack = "fitness"\n[balance]\ntolerance = 0.5\n', encoding="utf-8")
    assert run(["-C", str(project), "ingest", "dataset", str(tmp_path / "rows.jsonl")]) == 0
    assert run(["-C", str(project), "curate"]) == 0
    return project


def read_queue(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    capsys.readouterr()
    assert run(["-C", str(folder), "review", "--json"]) == 0
    found: list[dict[str, object]] = orjson.loads(capsys.readouterr().out)
    return found


def count_released(folder: Path, text: str) -> int:
    assert run(["-C", str(folder), "-q", "balance"]) == 0
    with open_snapshot(open_project(folder).snapshots) as snapshot:
        rows = snapshot.connection.execute(
            "select count(*) from release_members join examples on examples.id = example_id where messages like ? "
            "and release_id = (select id from releases order by sequence desc limit 1)",
            [f"%{text}%"],
        ).fetchall()
    return int(rows[0][0])


def test_a_flagged_row_waits_until_it_is_accepted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (waiting,) = read_queue(folder, capsys)
    assert waiting["reason"] == "flag:drug_dosing"
    assert count_released(folder, "500 mg testosterone") == 0
    assert run(["-C", str(folder), "review", "--accept", str(waiting["id"])[:10]]) == 0
    assert read_queue(folder, capsys) == []
    assert count_released(folder, "500 mg testosterone") == 1


def test_a_rejected_row_leaves_the_corpus_and_stays_out_after_curate(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (waiting,) = read_queue(folder, capsys)
    assert run(["-C", str(folder), "review", "--reject", str(waiting["id"]), "--reason", "drugs"]) == 0
    assert run(["-C", str(folder), "curate"]) == 0
    with open_snapshot(open_project(folder).snapshots) as snapshot:
        assert snapshot.connection.execute("select count(*) from corpus where id = ?", [waiting["id"]]).fetchall() == [
            (0,)
        ]
        life = snapshot.read("life_verdicts", id=waiting["id"]).to_dicts()
    assert ("review", "drugs") in {(row["stage"], row["reason"]) for row in life}


def test_the_last_word_counts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (waiting,) = read_queue(folder, capsys)
    assert run(["-C", str(folder), "review", "--reject", str(waiting["id"])]) == 0
    assert run(["-C", str(folder), "review", "--accept", str(waiting["id"])]) == 0
    assert count_released(folder, "500 mg testosterone") == 1


def test_an_unknown_id_is_a_usage_error(folder: Path) -> None:
    assert run(["-C", str(folder), "review", "--accept", "ffffffffffff"]) == 2
