"""The whole job: twice is once, a kill at any moment changes nothing, and neither order, threads nor hash seed do."""

import hashlib
import importlib.util
import json
import multiprocessing
import os
import shutil
import time
from pathlib import Path

import duckdb
import pytest

from curator.cli.app import run

FORMATS = ("--format", "messages", "--format", "alpaca")


@pytest.fixture(scope="module")
def conftest():
    spec = importlib.util.spec_from_file_location("conftest_of_pipeline", Path(__file__).with_name("conftest.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def hash_exports(folder):
    """Gives sha256 by path of everything that a release is made of: export files, manifests, cards, the lock."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for name in ("exports", "releases")
        for path in sorted((folder / name).rglob("*"))
        if path.is_file()
    }


def count_rows(folder):
    """Gives rows by table of the database, but for the log of runs."""
    with duckdb.connect(str(folder / "curator.db"), read_only=True) as connection:
        tables = [row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()]
        return {
            name: connection.execute(f'select count(*) from "{name}"').fetchone()[0] for name in tables if name != "run"
        }


def test_the_project_has_what_a_release_needs(built):
    files = hash_exports(built)
    (release,) = {path.split("/")[1] for path in files}
    data = ("train.jsonl", "validation.jsonl", "test.jsonl", "manifest.json", "README.md")
    settings = ("rows.json", "dataset_info.json", "axolotl.yaml", "TRAINING.md")
    # Some rows have several turns, for whose `history` axolotl's alpaca reader has no place.
    assert {path.split("/", 2)[2] for path in files if path.startswith("exports")} == {
        f"{name}/{file}" for name in ("messages", "alpaca") for file in (*data, *settings)
    } - {"alpaca/axolotl.yaml"}
    assert f"releases/{release}/corpus.lock" in files
    manifest = json.loads((built / "exports" / release / "messages" / "manifest.json").read_text())
    for file in manifest["files"]:
        content = (built / "exports" / release / "messages" / file["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        assert content.count(b"\n") == file["rows"]


def test_running_it_again_adds_nothing_and_changes_no_byte(project, cli):
    files, rows = hash_exports(project), count_rows(project)
    times = {path: path.stat().st_mtime_ns for path in (project / "exports").rglob("*")}
    snapshots = sorted(path.name for path in (project / ".curator" / "snapshots").iterdir())
    # The exports were made where the project was built: this one is a copy, so they are put on record once more.
    assert cli(project, "run", *FORMATS).code == 0
    rows["export"] += 2
    found = cli(project, "run", *FORMATS, "--json")
    assert found.code == 0
    report = found.json
    assert [ingest["added"] for ingest in report["ingests"]] == [0] * 4
    assert [report["curate"][key] for key in ("extracted", "examples", "screened", "categorised")] == [0] * 4
    assert report["release"]["is_new"] is False
    assert [export["is_new"] for export in report["exports"]] == [False, False]
    assert hash_exports(project) == files
    assert count_rows(project) == rows
    assert {path: path.stat().st_mtime_ns for path in (project / "exports").rglob("*")} == times
    assert sorted(path.name for path in (project / ".curator" / "snapshots").iterdir()) == snapshots


def test_one_thread_another_hash_seed_and_another_order_of_ingests_give_the_same_bytes(
    tmp_path, built, material, conftest, curator
):
    folder = tmp_path / "other"
    conftest.make_project(folder, material, is_reversed=True)
    environment = {"PYTHONHASHSEED": "1", "POLARS_MAX_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    one_core = {min(os.sched_getaffinity(0))}
    done = curator(
        folder, "run", *FORMATS, env=environment, preexec_fn=lambda: os.sched_setaffinity(0, one_core)
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert hash_exports(folder) == hash_exports(built)


def kill_at(context, arguments, after_s):
    """Runs the command line in a child and kills it after a time; gives whether it was still at work."""
    process = context.Process(target=run, args=(arguments,))
    process.start()
    process.join(after_s)
    is_killed = process.is_alive()
    process.kill()
    process.join()
    return is_killed


def test_killed_at_any_moment_and_run_again_gives_the_same_bytes(tmp_path, built, material, conftest):
    # Children are forked from a server that has done the imports, so that a run takes as long as its work.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["curator.pipeline", "curator.cli.app", "sklearn.linear_model", "scipy.optimize"])
    folder = tmp_path / "disturbed"
    conftest.make_project(folder, material)
    arguments = ["-q", "-C", str(folder), "run", *FORMATS]
    # The moments lie closer at the start, where the work of a run is; each rerun meets what the last one left.
    started = time.monotonic()
    kills = [kill_at(context, arguments, moment) for moment in (0.3, 0.8, 1.3, 1.9, 2.6, 3.4)]
    assert sum(kills) >= 3, f"too few of the runs were still at work ({time.monotonic() - started:.1f} s)"
    assert run(arguments) == 0
    assert hash_exports(folder) == hash_exports(built)
    leftovers = [path.name for path in folder.rglob("*") if "tmp" in path.name or path.name == "unpublished"]
    assert leftovers == []
    undisturbed, disturbed = count_rows(built), count_rows(folder)
    undisturbed.pop("export"), disturbed.pop("export")
    assert disturbed == undisturbed


def test_going_back_to_earlier_settings_shows_the_earlier_labels_again(project, cli):
    def show():
        return cli(project, "sql", "select count(category) as n from corpus", "--format", "json").json[0]["n"]

    config = project / "curator.toml"
    text = config.read_text()
    before = show()
    config.write_text(text + "\n[categorise]\nmin_confidence = 0.99\n")
    assert cli(project, "-q", "curate").code == 0
    database = project / "curator.db"
    # What another setting decided is told apart by hand here: every label under it is taken away.
    with duckdb.connect(str(database)) as connection:
        fingerprint = "(select fingerprint from stage where name = 'categorise')"
        connection.execute(f"update label set category = null where fingerprint = {fingerprint}")
    (project / ".curator" / "unpublished").touch()
    assert cli(project, "-q", "curate").code == 0
    assert show() == 0
    config.write_text(text)
    assert cli(project, "-q", "curate").code == 0
    assert show() == before > 0


def test_paths_of_the_settings_start_from_the_project_and_a_missing_one_is_exit_code_2(tmp_path, tiny_pack, cli):
    folder = tmp_path / "chess"
    (folder / "notes").mkdir(parents=True)
    shutil.copy(tiny_pack / "knowledge" / "fork.md", folder / "notes")
    head = f"pack = {json.dumps(str(tiny_pack))}\n[[ingest]]\nsource = 'markdown'\n"
    (folder / "curator.toml").write_text(
        f"{head}path = ['notes']\n[[ingest]]\nsource = 'markdown'\npath = ['nowhere']\n"
    )
    found = cli(folder, "run")
    assert found.code == 2
    assert str(folder / "nowhere") in found.err
    # What came in before the mistake is stored and to be seen.
    assert cli(folder, "sql", "select natural_key from documents", "--format", "json").json == [
        {"natural_key": "notes/fork.md"}
    ]
