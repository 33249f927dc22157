"""A release that settings lead back to is the latest one again."""

from pathlib import Path

import orjson
import pytest

from curator.cli.app import run
from curator.project import change_project, open_project
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


def find_released(snapshot, release: str) -> list[str]:
    rows = snapshot.connection.execute("select example_id from release_members where release_id = ?", [release])
    return [row[0] for row in rows.fetchall()]


def test_every_released_row_answers_why_with_its_place_its_category_its_split_and_its_release(built: Path) -> None:
    from curator.why import read_life

    with open_snapshot(open_project(built).snapshots) as snapshot:
        release = str(snapshot.read("snapshot_releases")["id"][0])
        members = find_released(snapshot, release)
        lives = [read_life(snapshot, member) for member in members]
    manifest = orjson.loads((built / "exports" / release / "messages" / "manifest.json").read_bytes())
    assert len(lives) == manifest["counts"]["rows"] > 50
    for life in lives:
        assert life["origin"]["where"]
        assert life["origin"]["licence"]
        assert life["category"]["name"]
        assert life["category"]["basis"]
        assert life["split"]["split"] in ("train", "validation", "test")
        assert life["split"]["unit"]
        assert release in [row["release_id"] for row in life["releases"]]
        assert all(verdict["is_kept"] for verdict in life["verdicts"])


def test_two_releases_differ_by_rows_reasons_mix_duplicates_rights_and_models(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left, right = balance(folder, "60", capsys), balance(folder, "30", capsys)
    with open_snapshot(open_project(folder).snapshots) as snapshot:
        sizes = [len(find_released(snapshot, release)) for release in (left, right)]
        gone = sorted(set(find_released(snapshot, left)) - set(find_released(snapshot, right)))
    assert run(["-C", str(folder), "releases", "diff", left, right, "--json"]) == 0
    found = orjson.loads(capsys.readouterr().out)
    assert [row["id"] for row in found["changes"] if row["change"] == "out"] == gone
    assert found["by_reason"] == {"balance: over_quota": len(gone)}
    assert [sum(found["mix"][side].values()) for side in ("left", "right")] == sizes
    rights = [
        {(row["licence"], row["permission"]): row["rows"] for row in found["rights"][s]} for s in ("left", "right")
    ]
    assert rights == [{("unknown", "unknown"): size} for size in sizes]
    assert found["duplicates"] == {"removed": 0, "replaced": 0}
    assert found["evaluation"] == {"left": [], "right": []}
    assert found["in_by_reason"] == {}
    assert run(["-C", str(folder), "releases", "diff", left, right]) == 0
    shown = capsys.readouterr()
    assert "rights" in shown.out
    assert "duplicates: none of the rows out is one by now" in shown.err
    assert "evaluation: no model was trained on either" in shown.err
    assert run(["-C", str(folder), "releases", "diff", right, left, "--json"]) == 0
    assert orjson.loads(capsys.readouterr().out)["in_by_reason"] == {"from dataset": len(gone)}


def test_the_difference_names_duplicates_and_the_figures_of_models(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left = balance(folder, "60", capsys)
    with open_snapshot(open_project(folder).snapshots) as snapshot:
        query = "select id, prompt, answer, category from corpus where list_contains($ids, id) order by id limit 1"
        ids = find_released(snapshot, left)
        ((old, prompt, answer, category),) = snapshot.connection.execute(query, {"ids": ids}).fetchall()
    better = {"question": prompt, "answer": f"{answer} Then repeat it twice.", "category": category}
    (tmp_path / "better.jsonl").write_bytes(orjson.dumps(better))
    assert run(["-C", str(folder), "ingest", "dataset", str(tmp_path / "better.jsonl")]) == 0
    assert run(["-C", str(folder), "curate"]) == 0
    right = balance(folder, "60", capsys)
    with change_project(open_project(folder), "train") as (warehouse, summary):
        values = {"recipe_sha256": "0", "base_revision": None, "coach_role": None}
        warehouse.run(
            "keep_adapter", id="abc123def4567890", release_id=right, recipe="tiny", method="full", base="gpt2", path="models/a",
            metrics='{"eval_loss": 1.25}', report="{}", **values,
        )  # fmt: skip
        summary["adapter"] = "abc123def4567890"
    assert run(["-C", str(folder), "releases", "diff", left, right]) == 0
    shown = capsys.readouterr().err
    assert "1 of the rows out are duplicates by now" in shown
    assert f"{right}: model abc123def456 (tiny on gpt2): eval_loss 1.25" in shown
    assert run(["-C", str(folder), "releases", "diff", left, right, "--json"]) == 0
    found = orjson.loads(capsys.readouterr().out)
    assert {row["id"]: row["reason"] for row in found["changes"] if row["change"] == "out"}[
        old
    ] == "dedup: near_duplicate"


def test_a_release_that_leaks_is_never_exported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release = balance(folder, "20", capsys)
    with change_project(open_project(folder), "spoil") as (warehouse, _):
        warehouse.connection.execute("update release set is_verified = false")
    assert run(["-C", str(folder), "export"]) == 1
    assert f"release {release}: verification found leaks" in capsys.readouterr().err
    assert not (folder / "exports").exists()


def test_a_withheld_row_comes_back_with_the_first_balance_that_has_no_reason_to_withhold_it(
    tmp_path: Path, tiny_pack: Path, cli
) -> None:
    def write(rows: dict[str, str]) -> None:
        (tmp_path / "rows").mkdir(exist_ok=True)
        for name, answer in rows.items():
            row = {"question": f"What does {name[:-1]} say?", "answer": answer, "category": "tactics"}
            (tmp_path / "rows" / f"{name}.jsonl").write_bytes(orjson.dumps(row))

    def make_text(base: int, head: bool, tail: bool) -> str:
        words = ["the" if n == 15 else f"word{base}x{n}" for n in range(60)]
        words[:2] = ["first", f"head{base}"] if head else words[:2]
        words[-2:] = [f"tail{base}", "last"] if tail else words[-2:]
        return " ".join(words)

    def balance_once() -> set[str]:
        for command in (["ingest", "dataset", str(tmp_path / "rows")], ["curate"], ["balance"]):
            assert cli(project, *command).code == 0
        with open_snapshot(open_project(project).snapshots) as snapshot:
            rows = snapshot.connection.execute(
                "select natural_key from release_members join examples on examples.id = example_id"
                " where release_id = (select id from releases order by sequence desc limit 1)"
            ).fetchall()
        return {row[0].split("/")[-1].split(".")[0] for row in rows}

    project = tmp_path / "project"
    project.mkdir()
    (project / "curator.toml").write_text(
        f"pack = {orjson.dumps(str(tiny_pack)).decode()}\n[dedup]\nthreshold = 0.99\n"
        "[split]\ntrain = 0.4\nvalidation = 0.3\ntest = 0.3\n[balance]\ntarget = {tactics = 1.0}\n"
    )
    write({f"case{base}{side}": make_text(base, side == "a", side == "b") for base in range(8) for side in "ab"})
    balance_once()
    write({f"case{base}m": make_text(base, head=False, tail=False) for base in range(8)})
    withheld = sorted({f"case{base}m" for base in range(8)} - balance_once())
    assert withheld
    # The one of the two that the middle one resembles too much says something else now.
    write({f"{name[:-1]}b": make_text(90 + n, head=False, tail=False) for n, name in enumerate(withheld)})
    assert set(withheld) <= balance_once()
