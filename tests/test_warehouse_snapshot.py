"""Readers see the newest whole snapshot, with nothing private in it, whatever the writer does."""

import re
from pathlib import Path

import duckdb
import polars as pl
import pytest

import warehouse.snapshot as snapshots
from schemas.errors import WarehouseError
from schemas.frames import document_frame
from warehouse import find_snapshot, list_views, open_snapshot, open_warehouse, publish_snapshot

VIEWS = {"corpus", "mix", "sources", "rejected", "duplicates", "lineage"}


def read_all_cells(path):
    """Gives (table.column, text of the cell) of a whole database; also what compression hides from a byte search."""
    with duckdb.connect(str(path), read_only=True) as connection:
        names = [row[0] for row in connection.execute("select table_name from information_schema.tables").fetchall()]
        for name in names:
            result = connection.execute(f'select columns(*)::varchar from "{name}"')
            columns = [column[0] for column in result.description]
            for row in result.fetchall():
                for column, cell in zip(columns, row, strict=True):
                    yield f"{name}.{column}", str(cell)


def add_document(warehouse, key):
    row = {
        "id": key, "source": "markdown", "kind": "page", "natural_key": key, "content": "text", "metadata": "{}",
        "fetched_at": pl.Series([0]).cast(pl.Datetime("us", "UTC"))[0], "licence": "x", "basis": "x",
        "permission": "own",
    }  # fmt: skip
    warehouse.append("document", document_frame([row]))


def test_no_column_of_a_snapshot_holds_a_planted_name_address_or_unused_text(built, markers):
    path = find_snapshot(built / ".curator" / "snapshots")
    cells = list(read_all_cells(path))
    assert len(cells) > 1000
    leaks = [(place, marker) for place, text in cells for marker in markers if marker.lower() in text.lower()]
    assert leaks == []


def test_the_search_for_planted_texts_would_find_them_in_the_database(built, markers, unhashed):
    texts = " ".join(text for _, text in read_all_cells(built / "curator.db"))
    assert {marker for marker in markers if marker in texts} == set(markers) - unhashed


def test_no_author_hash_is_in_a_snapshot_under_any_name(built):
    with duckdb.connect(str(built / "curator.db"), read_only=True) as connection:
        hashes = {
            row[0]
            for table in ("document", "example")
            for row in connection.execute(f"select distinct author_hash from {table} where author_hash is not null")
            .fetchall()
        }  # fmt: skip
    assert len(hashes) == 1
    path = find_snapshot(built / ".curator" / "snapshots")
    assert not [(place, text) for place, text in read_all_cells(path) if any(value in text for value in hashes)]


def test_a_forum_dump_leaves_no_name_and_no_hash_in_a_snapshot(bare, material, markers, cli):
    assert cli(bare, "-q", "ingest", "reddit", "--dump", material / "dump").code == 0
    with duckdb.connect(str(bare / "curator.db"), read_only=True) as connection:
        hashes = {row[0] for row in connection.execute("select distinct author_hash from document").fetchall()}
    assert len(hashes) == 9
    cells = list(read_all_cells(find_snapshot(bare / ".curator" / "snapshots")))
    assert len([place for place, _ in cells if place == "documents.id"]) == 16
    private = (*markers, *hashes, "asker_")
    assert [place for place, text in cells if any(value.lower() in text.lower() for value in private)] == []


def test_a_snapshot_has_no_document_text_column(built):
    with open_snapshot(built / ".curator" / "snapshots") as snapshot:
        columns = set(snapshot.connection.sql("from documents limit 0").columns)
    assert columns.isdisjoint({"content", "title", "metadata", "author_hash"})


@pytest.mark.parametrize("name", sorted(path.stem.split("_", 1)[1] for path in snapshots.HERE.glob("*/*.sql")))
def test_every_table_and_view_is_documented_and_can_be_read(name, built):
    assert re.match(r"one (row|cell)", list_views()[name]), list_views()[name]
    with open_snapshot(built / ".curator" / "snapshots") as snapshot:
        assert snapshot.connection.execute(f'select count(*) from "{name}"').fetchone()[0] >= 0


def test_the_promised_views_are_there_and_filled(built):
    assert set(list_views()) >= VIEWS
    with open_snapshot(built / ".curator" / "snapshots") as snapshot:
        for name in VIEWS:
            assert snapshot.connection.execute(f"select count(*) from {name}").fetchone()[0] > 0, name
        columns = snapshot.connection.sql("from corpus limit 0").columns
    assert set(columns) >= {
        "id", "source", "kind", "category", "role", "language", "split", "messages", "prompt", "answer", "quality",
        "tokens", "licence", "permission", "url", "created_at",
    }  # fmt: skip


def test_a_reader_is_not_blocked_while_a_writer_works_and_sees_the_last_published_state(tmp_path):
    folder = tmp_path / "snapshots"
    with open_warehouse(tmp_path / "curator.db") as warehouse:
        add_document(warehouse, "first")
        publish_snapshot(warehouse, folder)
        with open_snapshot(folder) as reader, warehouse.transaction():
            add_document(warehouse, "second")
            assert reader.connection.execute("select count(*) from documents").fetchone() == (1,)
        with open_snapshot(folder) as old:
            new = publish_snapshot(warehouse, folder)
            assert old.connection.execute("select count(*) from documents").fetchone() == (1,)
            assert old.path.exists()
        assert find_snapshot(folder) == new
        with open_snapshot(folder) as reader:
            assert reader.connection.execute("select count(*) from documents").fetchone() == (2,)


def test_two_snapshots_are_kept_and_leftovers_of_killed_runs_are_swept(tmp_path):
    folder = tmp_path / "snapshots"
    folder.mkdir()
    for leftover in ("000001.db.tmp", "000001.db.tmp.wal"):
        (folder / leftover).write_bytes(b"torn")
    with open_warehouse(tmp_path / "curator.db") as warehouse:
        published = [publish_snapshot(warehouse, folder) for _ in range(4)]
    assert [path.name for path in published] == ["000001.db", "000002.db", "000003.db", "000004.db"]
    assert sorted(path.name for path in folder.iterdir()) == ["000003.db", "000004.db"]


def test_a_torn_temporary_is_never_taken_for_a_snapshot(tmp_path):
    (tmp_path / "000009.db.tmp").write_bytes(b"torn")
    with pytest.raises(WarehouseError, match="no snapshot yet") as error:
        find_snapshot(tmp_path)
    assert "curator ingest" in error.value.hint


def test_a_damaged_snapshot_is_one_clear_error(tmp_path):
    (tmp_path / "000001.db").write_bytes(b"no database" * 1000)
    with pytest.raises(WarehouseError, match=r"000001\.db"), open_snapshot(tmp_path):
        pytest.fail("must not open")


def test_a_path_with_a_quote_in_it_can_be_published(tmp_path):
    folder = tmp_path / "it's here"
    with open_warehouse(folder / "curator.db") as warehouse:
        path = publish_snapshot(warehouse, folder / "snapshots")
    assert path.stat().st_size > 0


def test_a_reader_that_has_the_older_file_open_goes_on_after_it_is_removed(tmp_path):
    folder = tmp_path / "snapshots"
    with open_warehouse(tmp_path / "curator.db") as warehouse:
        add_document(warehouse, "first")
        publish_snapshot(warehouse, folder)
        with open_snapshot(folder) as reader:
            for _ in range(3):
                publish_snapshot(warehouse, folder)
            assert not reader.path.exists()
            assert reader.connection.execute("select id from documents").fetchall() == [("first",)]


def test_every_statement_is_used_by_name_and_parses():
    root = Path(snapshots.__file__).parents[1]
    code = "\n".join(
        path.read_text() for package in ("curator", "warehouse") for path in (root / package).rglob("*.py")
    )
    files = sorted((root / "warehouse" / "sql").glob("*.sql"))
    assert len(files) > 40
    unused = [path.stem for path in files if not re.search(rf'"{path.stem}"', code)]
    assert unused == []
    asked = set(re.findall(r'\.(?:read|read_value|run)\(\s*"(\w+)"', code))
    assert asked - {path.stem for path in files} == set()
    for path in files:
        statements = duckdb.extract_statements(path.read_text())
        assert len(statements) == 1, path.name
