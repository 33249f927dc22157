"""A lock gives the same bytes again: later, elsewhere, and never what was forgotten."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import orjson
import polars as pl
import pytest

from curator.balance.release import name_members
from curator.cli.app import run
from curator.project import open_project
from warehouse import open_snapshot, open_warehouse


def make_rows(start: int, stop: int) -> list[dict[str, str]]:
    return [
        {
            "question": f"What helps in situation {number} of week {number * 31}?",
            "answer": f"In situation {number} you count move {number + 1}, wait {number + 30} seconds more and write "
            f"down what changed on day {number % 7}, so that week {number + 2} can start from there.",
            "category": ("tactics", "endgames")[number % 2],
        }
        for number in range(start, stop)
    ]


def write_settings(project: Path, tiny_pack: Path) -> None:
    project.mkdir()
    (project / "curator.toml").write_text(
        f"pack = {json.dumps(str(tiny_pack))}\n[[ingest]]\nsource = 'dataset'\npath = ['../data/rows.jsonl']\n"
        "permission = 'own'\n[split]\ntrain = 0.5\nvalidation = 0.25\ntest = 0.25\n",
        encoding="utf-8",
    )


def write_rows(base: Path, rows: list[dict[str, str]]) -> None:
    (base / "data").mkdir(exist_ok=True)
    (base / "data" / "rows.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_pack: Path) -> Path:
    base = tmp_path_factory.mktemp("rebuild")
    write_rows(base, make_rows(0, 60))
    write_settings(base / "project", tiny_pack)
    assert run(["-C", str(base / "project"), "-q", "run", "--format", "messages"]) == 0
    return base / "project"


@pytest.fixture
def folder(made: Path) -> Iterator[Path]:
    """The project as made, in its own place: the record of an export holds its path."""
    parked = made.with_name("parked")
    shutil.copytree(made, parked)
    yield made
    shutil.rmtree(made)
    parked.rename(made)
    write_rows(made.parent, make_rows(0, 60))


def hash_lines(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.jsonl")}


def find_release(folder: Path) -> str:
    with open_snapshot(open_project(folder).snapshots) as snapshot:
        return str(snapshot.read("snapshot_releases")["id"][0])


def test_an_old_release_has_the_same_bytes_after_growth_reviews_and_other_settings(folder: Path, cli) -> None:
    old = find_release(folder)
    before = hash_lines(folder / "exports" / old / "messages")
    assert set(before) == {"train.jsonl", "validation.jsonl", "test.jsonl"}
    lock = (folder / "releases" / old / "corpus.lock").read_bytes()
    member, other = (row[0] for row in orjson.loads(lock)["members"][:2])
    write_rows(folder.parent, make_rows(0, 90))
    assert cli(folder, "review", "relabel", member, "-c", "endgames").code == 0
    assert cli(folder, "review", "reject", other).code == 0
    text = (folder / "curator.toml").read_text()
    (folder / "curator.toml").write_text(text + "[screen]\nmin_answer_tokens = 30\n[balance]\ntolerance = 0.2\n")
    assert cli(folder, "run", "--format", "messages").code == 0
    assert find_release(folder) != old
    found = cli(folder, "releases", "rebuild", old[:6], "--into", folder.parent / "again", "--json")
    assert found.code == 0
    assert (found.json["release_id"], found.json["is_same"], found.json["missing"]) == (old, True, [])
    assert found.json["files"] == before == hash_lines(folder.parent / "again")
    assert (folder / "releases" / old / "corpus.lock").read_bytes() == lock
    shutil.rmtree(folder.parent / "again")


def test_a_lock_gives_the_same_bytes_in_another_project_and_its_splits_hold_there(
    folder: Path, tiny_pack: Path, tmp_path: Path, cli
) -> None:
    release = find_release(folder)
    lock = folder / "releases" / release / "corpus.lock"
    write_rows(tmp_path, make_rows(0, 80))
    write_settings(tmp_path / "elsewhere", tiny_pack)
    other = tmp_path / "elsewhere"
    # Ingested only, and with rows that the lock does not know.
    assert cli(other, "ingest", "dataset", tmp_path / "data" / "rows.jsonl", "--permission", "own").code == 0
    found = cli(other, "releases", "rebuild", lock)
    assert found.code == 0, found.err
    assert hash_lines(other / "exports" / release / "messages") == hash_lines(folder / "exports" / release / "messages")
    assert (other / "releases" / release / "corpus.lock").read_bytes() == lock.read_bytes()
    assert cli(other, "releases", "verify", release).code == 0
    assert cli(other, "balance").code == 0
    split = {row[0]: row[1] for row in orjson.loads(lock.read_bytes())["members"]}
    with open_snapshot(open_project(other).snapshots) as snapshot:
        dealt = dict(snapshot.connection.execute("select id, split from examples").fetchall())
    assert {row: dealt[row] for row in split} == split


def test_after_forget_the_rebuild_of_an_old_lock_is_a_new_release_without_the_row(folder: Path, cli) -> None:
    old = find_release(folder)
    copy = folder.parent / "kept.lock"
    copy.write_bytes((folder / "releases" / old / "corpus.lock").read_bytes())
    gone = orjson.loads(copy.read_bytes())["members"][0][0]
    before = b"".join(path.read_bytes() for path in (folder / "exports" / old / "messages").glob("*.jsonl"))
    assert cli(folder, "forget", "--id", gone).code == 0
    by_copy = cli(folder, "releases", "rebuild", copy, "--json").json
    assert by_copy["release_id"] != old
    assert by_copy["missing"] == [gone]
    after = b"".join(path.read_bytes() for path in Path(by_copy["path"]).glob("*.jsonl"))
    assert len(after.splitlines()) == len(before.splitlines()) - 1
    assert set(after.splitlines()) < set(before.splitlines())
    assert cli(folder, "releases", "verify", by_copy["release_id"]).code == 0
    # The lock in the project has lost the member already; what is left of it is the same release.
    assert gone not in (folder / "releases" / old / "corpus.lock").read_text()
    copy.unlink()


def test_another_pack_and_a_row_that_is_dealt_otherwise_are_refused(folder: Path, tmp_path: Path, cli) -> None:
    release = find_release(folder)
    path = folder / "releases" / release / "corpus.lock"
    lock = orjson.loads(path.read_bytes())
    other = tmp_path / "other.lock"
    other.write_bytes(orjson.dumps(lock | {"pack_fingerprint": "0" * 32}))
    found = cli(folder, "releases", "rebuild", other)
    assert found.code == 2
    assert "the bytes would differ" in found.err
    moved = [[row[0], "test" if row[1] == "train" else "train", *row[2:]] for row in lock["members"]]
    other.write_bytes(orjson.dumps(lock | {"members": moved}))
    assert "not those that it was frozen with" in cli(folder, "releases", "rebuild", other).err
    with open_warehouse(open_project(folder).database) as warehouse:
        releases = warehouse.read("releases").height
    columns = ["example_id", "split", "category", "unit_id"]
    frame = pl.DataFrame(moved, schema=dict.fromkeys(columns, pl.String), orient="row").sort("example_id")
    other.write_bytes(orjson.dumps(lock | {"members": moved, "members_id": name_members(frame)}))
    found = cli(folder, "releases", "rebuild", other)
    assert found.code == 2
    assert "in the lock and" in found.err
    with open_warehouse(open_project(folder).database) as warehouse:
        assert warehouse.read("releases").height == releases
    assert cli(folder, "releases", "rebuild", folder / "curator.toml").code == 2
    assert cli(folder, "releases", "rebuild", "ffffffffffff").code == 2
