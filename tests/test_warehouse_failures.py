"""A full disk, a damaged file, a file that somebody else has open: one clear line, and what was there stays."""

import contextlib
import json
import random
import resource
import shutil
import subprocess
import sys

import duckdb
import pytest

from schemas.errors import LockedError, WarehouseError
from warehouse import open_warehouse

OTHER_PROGRAM = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("create table if not exists other (a int)")
print("open", flush=True)
sys.stdin.read()
"""


def count_documents(path):
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute("select count(*) from document").fetchone()[0]


def hash_tree(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def error_lines(outcome):
    return [line for line in outcome.err.splitlines() if line.startswith("curator: ")]


@contextlib.contextmanager
def largest_file(size_bytes):
    """No file of this process may grow beyond a size: what a full disk is to DuckDB, without rights of root."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def small_disk(folder, size):
    """A file system of a few megabytes; skips where it may not be made."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a file system can only be mounted by root")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(scope="module")
def bulk(tmp_path_factory):
    """Twelve megabytes in hexadecimal digits, more than fit where the database alone may lie: also its log is written."""
    path = tmp_path_factory.mktemp("bulk") / "bulk.jsonl"
    letters = random.Random(1)
    rows = [{"question": f"What is number {n}?", "answer": letters.randbytes(2500).hex()} for n in range(2500)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_database_that_cannot_grow_is_exit_code_1_and_keeps_its_rows(project, bulk, cli):
    database = project / "curator.db"
    before = count_documents(database)
    with largest_file(database.stat().st_size + 1_000_000):
        found = cli(project, "ingest", "dataset", bulk)
    assert found.code == 1
    assert len(error_lines(found)) == 1
    assert "curator.db" in error_lines(found)[0]
    assert "free some space" in found.err
    # What was committed before the disk was full stays (batches are of 2,000 rows); the same command adds the rest.
    stored = count_documents(database)
    assert stored in (before, before + 2000)
    assert cli(project, "ingest", "dataset", bulk, "--json").json["added"] == before + 2500 - stored
    assert cli(project, "stats", "--json").json["funnel"]["documents"] == before + 2500


def test_a_full_disk_is_exit_code_1_says_so_and_leaves_every_prior_row_and_export(tmp_path, built, bulk, cli):
    folder = tmp_path / "disk"
    with small_disk(folder, "14m"):
        shutil.copytree(built, folder / "project")
        project = folder / "project"
        before = count_documents(project / "curator.db")
        exports = hash_tree(project / "exports")
        found = cli(project, "ingest", "dataset", bulk)
        assert found.code == 1
        (line,) = error_lines(found)
        assert "No space left" in line or "not enough space" in line.lower()
        assert "free some space" in found.err
        assert count_documents(project / "curator.db") in (before, before + 2000)
        assert hash_tree(project / "exports") == exports
        assert cli(project, "stats", "--json").json["funnel"]["documents"] in (before, before + 2000)


def test_an_export_that_does_not_fit_leaves_the_older_one_whole(project, cli):
    (folder,) = (project / "exports").glob("*/messages")
    before = hash_tree(folder)
    with largest_file(20_000):
        found = cli(project, "export", "--system-prompt", "none", "--format", "messages", "--output", folder)
    assert found.code == 1
    assert len(error_lines(found)) == 1
    assert hash_tree(folder) == before
    assert sorted(path.name for path in folder.parent.iterdir()) == ["alpaca", "messages"]


def test_a_query_result_that_does_not_fit_leaves_the_older_file(project, tmp_path, cli):
    output = tmp_path / "rows.csv"
    output.write_text("older")
    # Above the length of the message, which is captured in a file too.
    with largest_file(3000):
        found = cli(project, "sql", "select * from corpus", "--format", "csv", "--output", output)
    assert found.code == 1
    assert str(output) in error_lines(found)[0]
    assert output.read_text() == "older"
    assert list(tmp_path.glob(".curator-tmp*")) == []


@pytest.mark.parametrize("damage", ["text", "truncated", "zeroed header", "scrambled middle"])
def test_a_damaged_database_is_exit_code_1_and_is_not_touched(damage, project, cli):
    database = project / "curator.db"
    data = database.read_bytes()
    database.write_bytes(
        {
            "text": b"this is no database\n" * 100,
            "truncated": data[:9000],
            "zeroed header": bytes(4096 * 3) + data[4096 * 3 :],
            "scrambled middle": data[:12288] + bytes(255 - byte for byte in data[12288:]),
        }[damage]
    )
    before = hash_tree(project)
    found = cli(project, "curate")
    assert found.code == 1
    assert len(error_lines(found)) == 1
    assert "curator.db" in error_lines(found)[0]
    assert "→" in found.err
    after = hash_tree(project)
    changed = {path.name for path in before if after.get(path) != before[path]} | {
        p.name for p in set(after) - set(before)
    }
    assert changed <= {"lock", "unpublished"}


def test_doctor_finds_a_damaged_database(project, tiny_pack, cli):
    (project / "curator.toml").write_text(f"pack = {json.dumps(str(tiny_pack))}")
    (project / "curator.db").write_bytes(b"nothing" * 1000)
    found = cli(project, "doctor", "--json")
    assert found.code == 1
    problems = [entry["what"] for entry in found.json if entry["is_problem"]]
    assert problems == ["database"]


def test_damage_in_a_folder_with_lock_in_its_name_is_no_locked_file(tmp_path):
    path = tmp_path / "clockwork" / "curator.db"
    path.parent.mkdir()
    path.write_bytes(b"nothing" * 1000)
    with pytest.raises(WarehouseError) as error, open_warehouse(path):
        pytest.fail("must not open")
    assert not isinstance(error.value, LockedError)
    assert error.value.exit_code == 1


def test_a_database_that_another_program_has_open_is_exit_code_4_with_its_pid(project, cli):
    command = [sys.executable, "-c", OTHER_PROGRAM, str(project / "curator.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "open\n"
        found = cli(project, "curate")
        assert found.code == 4
        assert f"PID {other.pid}" in found.err
        assert cli(project, "stats", "--json").code == 0
        other.communicate("")
    assert cli(project, "-q", "curate").code == 0


def test_a_database_in_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises((WarehouseError, NotADirectoryError, FileExistsError)),
        open_warehouse(tmp_path / "file" / "c.db"),
    ):
        pytest.fail("must not open")


def test_a_transaction_that_fails_stores_nothing_of_its_block(tmp_path):
    with open_warehouse(tmp_path / "curator.db") as warehouse:

        def fail_half_way():
            with warehouse.transaction():
                warehouse.run("keep_stage", stage="extract", fingerprint="f")
                raise ValueError("half way")

        with pytest.raises(ValueError, match="half way"):
            fail_half_way()
        assert warehouse.read_value("stage_fingerprint", stage="extract") is None


def test_an_unknown_table_name_is_refused_before_it_reaches_sql(tmp_path):
    import polars as pl

    with open_warehouse(tmp_path / "curator.db") as warehouse:
        with pytest.raises(WarehouseError, match="no table name"):
            warehouse.append("stage; drop table stage", pl.DataFrame({"name": ["x"]}))
        with pytest.raises(WarehouseError, match="column"):
            warehouse.append("stage", pl.DataFrame({"nonsense": ["x"]}))
