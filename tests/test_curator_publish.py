"""A command that writes no example publishes what it wrote and copies the rest: the snapshot is that of a whole one."""

import json
import os
import shutil

import pytest

import warehouse.snapshot as snapshots
from curator.project import change_project, open_project
from warehouse import find_snapshot, open_snapshot, open_warehouse, publish_snapshot

OWN = ("--licence", "CC-BY-4.0", "--permission", "own", "--basis", "written for this test")
SHOWN = {
    "kind": "recommendation", "event_id": "shown-event-1", "occurred_at": "2026-01-05T08:00:00Z", "recommendation_id": "recommendation-1",
    "prompt": [{"role": "user", "content": "How deep should I squat?"}], "answer": "To parallel.", "model": "coach", "user": "u1",
    "category": "technique",
}  # fmt: skip
RATED = {
    "kind": "rating", "event_id": "rated-event-1", "occurred_at": "2026-01-05T09:00:00Z", "recommendation_id": "recommendation-1",
    "rating": 5, "user": "u1",
}  # fmt: skip


def read_snapshot(path):
    """Gives the rows of all tables and views of a snapshot, sorted."""
    with open_snapshot(path.parent) as snapshot:
        assert snapshot.path == path
        names = snapshot.connection.execute("select table_name from information_schema.tables").fetchall()
        return {
            name: sorted(map(repr, snapshot.connection.execute(f'select columns(*)::varchar from "{name}"').fetchall()))
            for (name,) in names
        }


def assert_is_whole(folder, tmp_path):
    newest = find_snapshot(folder / ".curator" / "snapshots")
    with open_warehouse(folder / "curator.db") as warehouse:
        whole = publish_snapshot(warehouse, tmp_path / "whole")
    assert read_snapshot(newest) == read_snapshot(whole)
    whole.unlink()


@pytest.fixture
def written(monkeypatch):
    """The folders of tables that were written, a list a snapshot."""
    calls = []
    write = snapshots._write_tables

    def spy(warehouse, path, folders):
        calls.append(folders)
        write(warehouse, path, folders)

    monkeypatch.setattr(snapshots, "_write_tables", spy)
    return calls


def test_ingest_and_export_leave_the_examples_of_a_snapshot_alone(project, material, tmp_path, cli, written):
    # What an older version published is not copied.
    assert cli(project, "ingest", "markdown", material / "notes", *OWN).code == 0
    page = tmp_path / "pages" / "bench.md"
    page.parent.mkdir()
    page.write_text("# How wide do I grip the bar?\n\nSo that the forearms are upright when the bar is down.\n")
    events, rows = tmp_path / "events.jsonl", tmp_path / "rows.jsonl"
    events.write_text("".join(json.dumps(event) + "\n" for event in (SHOWN, RATED)))
    rows.write_text('{"instruction": "What is a superset?", "output": "Two exercises without a pause."}\n{broken\n')
    commands = [
        ("ingest", "markdown", page.parent, *OWN),
        ("ingest", "feedback", events),
        ("ingest", "dataset", rows, *OWN),
        ("export", "--format", "sharegpt"),
    ]
    with open_snapshot(project / ".curator" / "snapshots") as snapshot:
        before = snapshot.connection.execute("select count(*) from documents").fetchone()[0]
    for command in commands:
        written.clear()
        assert cli(project, *command).code in (0, 3), command
        assert written == [["tables"]], command
        assert_is_whole(project, tmp_path)
    page.write_text(page.read_text() + "\nNarrower spares the shoulders.\n")
    written.clear()
    assert cli(project, "ingest", "markdown", page.parent, *OWN).code == 0
    assert written == [["tables"]]
    assert_is_whole(project, tmp_path)
    with open_snapshot(project / ".curator" / "snapshots") as snapshot:
        counts = {
            name: snapshot.connection.execute(f"select count(*) from {name}").fetchone()[0]
            for name in ("documents", "recommendations", "rejections", "exports")
        }
    assert counts["documents"] == before + 5
    assert counts["recommendations"] == 1
    assert counts["rejections"] > 0
    assert counts["exports"] == 3
    written.clear()
    assert cli(project, "curate").code == 0
    assert written == [["tables", "examples"]]
    assert_is_whole(project, tmp_path)
    # One that finds nothing to do leaves it so.
    written.clear()
    assert cli(project, "curate").code == 0
    assert cli(project, "export", "--format", "instruction").code == 0
    assert written == [["tables"]]
    assert_is_whole(project, tmp_path)


def test_a_balance_that_ends_in_the_same_release_publishes_new_units_once(project, tmp_path, cli, written):
    rows = tmp_path / "rows.jsonl"
    # Screening refuses it, but it is a row of the graph all the same.
    rows.write_text('{"instruction": "What?", "output": "No."}\n')
    assert cli(project, "ingest", "dataset", rows, *OWN).code == 0
    assert cli(project, "curate").code == 0
    before = cli(project, "releases", "list", "--json").json
    written.clear()
    assert cli(project, "balance").code == 0
    assert written == [["tables", "examples"]]
    assert_is_whole(project, tmp_path)
    written.clear()
    assert cli(project, "balance").code == 0
    assert written == []
    assert cli(project, "releases", "list", "--json").json == before


def test_after_a_command_that_died_before_it_published_everything_is_published(project, tmp_path, written):
    opened = open_project(project, {})
    with change_project(opened, "test", keeps_examples=False) as (_, summary):
        summary["rows"] = 1
    opened.unpublished.touch()
    with open_warehouse(opened.database) as warehouse:
        warehouse.connection.execute("delete from label")
    written.clear()
    with change_project(opened, "test", keeps_examples=True):
        pass
    assert written == [["tables", "examples"]]
    assert_is_whole(project, tmp_path)


def test_a_snapshot_that_is_gone_damaged_or_of_another_version_is_not_copied(project, tmp_path, monkeypatch, written):
    opened = open_project(project, {})

    def publish():
        written.clear()
        with change_project(opened, "test", keeps_examples=True) as (_, summary):
            summary["rows"] = 1
        assert_is_whole(project, tmp_path)
        return written[0]

    publish()
    assert publish() == ["tables"]
    find_snapshot(opened.snapshots).unlink()
    assert publish() == ["tables", "examples"]
    newest = find_snapshot(opened.snapshots)
    newest.write_bytes(b"torn" * 5000)
    assert publish() == ["tables", "examples"]
    monkeypatch.setattr(snapshots, "STORAGE_VERSION", "v1.5.0")
    assert publish() == ["tables", "examples"]
    assert publish() == ["tables"]
    # Somebody wrote into it, or put back an older one of the same name.
    newest = find_snapshot(opened.snapshots)
    os.utime(newest, ns=(1, 1))
    assert publish() == ["tables", "examples"]


def test_after_another_database_was_put_in_place_everything_is_published(project, material, tmp_path, cli, written):
    database, older = project / "curator.db", tmp_path / "older.db"
    shutil.copy(database, older)
    page = tmp_path / "pages" / "bench.md"
    page.parent.mkdir()
    page.write_text("# How wide do I grip the bar?\n\nSo that the forearms are upright when the bar is down.\n")
    assert cli(project, "ingest", "markdown", page.parent, *OWN).code == 0
    assert cli(project, "curate").code == 0
    shutil.copy(older, database)
    # It finds nothing to do; readers must not be shown the later rows any more.
    assert cli(project, "curate").code == 0
    assert_is_whole(project, tmp_path)
    database.unlink()
    written.clear()
    assert cli(project, "ingest", "markdown", page.parent, *OWN).code == 0
    assert written == [["tables", "examples"]]
    assert_is_whole(project, tmp_path)


def test_a_snapshot_with_a_damaged_table_is_not_copied(project, tmp_path, written):
    opened = open_project(project, {})
    with change_project(opened, "test", keeps_examples=True) as (_, summary):
        summary["rows"] = 1
    newest = find_snapshot(opened.snapshots)
    before = newest.stat()
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)
    os.utime(newest, ns=(before.st_atime_ns, before.st_mtime_ns))
    written.clear()
    with change_project(opened, "test", keeps_examples=True) as (_, summary):
        summary["rows"] = 1
    assert written == [["tables", "examples"]]
    assert_is_whole(project, tmp_path)


def test_after_a_block_that_may_write_examples_nothing_is_copied(project, tmp_path, written):
    opened = open_project(project, {})
    with change_project(opened, "test", keeps_examples=True) as (_, summary):
        summary["rows"] = 1
    # It says that nothing has changed, and is wrong.
    with change_project(opened, "test") as (warehouse, _):
        warehouse.connection.execute("delete from label")
    written.clear()
    with change_project(opened, "test", keeps_examples=True) as (_, summary):
        summary["rows"] = 1
    assert written == [["tables", "examples"]]
    assert_is_whole(project, tmp_path)


def test_copies_of_copies_do_not_grow(project):
    opened = open_project(project, {})
    sizes = []
    for _ in range(8):
        with change_project(opened, "test", keeps_examples=True) as (_, summary):
            summary["rows"] = 1
        sizes.append(find_snapshot(opened.snapshots).stat().st_size)
    # What a copy replaces is room for the next one.
    assert max(sizes[2:]) <= max(sizes[:2])
