"""A database is brought to the newest schema once, and one from the future is left alone."""

import duckdb
import pytest

import warehouse.migrate as migrations
from schemas.errors import WarehouseError
from warehouse import open_warehouse
from warehouse.connection import STORAGE_VERSION

TABLES = {
    "cluster", "current_input", "document", "example", "export", "extraction", "ingest_cursor", "label", "meta",
    "migration", "rejection", "release", "release_member", "run", "screening", "split_ledger", "stage", "target",
    "tombstone", "unit", "verdict",
}  # fmt: skip


def list_tables(path):
    with duckdb.connect(str(path), read_only=True) as connection:
        return {row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()}


def test_a_fresh_database_gets_every_table_and_remembers_the_migrations(tmp_path):
    path = tmp_path / "deep" / "curator.db"
    with open_warehouse(path) as warehouse:
        done = warehouse.connection.execute("select number, name from migration order by number").fetchall()
    assert done == [(number, file.stem) for number, file in migrations.list_migrations()]
    assert done[0] == (1, "0001_initial")
    assert list_tables(path) >= TABLES


def test_opening_again_changes_neither_the_schema_nor_the_salt(tmp_path):
    path = tmp_path / "curator.db"
    with open_warehouse(path) as warehouse:
        salt = warehouse.read_salt()
    with open_warehouse(path) as warehouse:
        assert warehouse.read_salt() == salt
        count = warehouse.connection.execute("select count(*) from migration").fetchone()[0]
    assert count == len(migrations.list_migrations())
    assert len(salt) == 16


def test_two_projects_have_different_salts(tmp_path):
    salts = set()
    for name in ("a", "b"):
        with open_warehouse(tmp_path / f"{name}.db") as warehouse:
            salts.add(warehouse.read_salt())
    assert len(salts) == 2


def test_a_database_of_a_newer_curator_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "curator.db"
    with open_warehouse(path) as warehouse:
        warehouse.connection.execute("insert into migration values (9999, '9999_future')")
    before = list_tables(path)
    with pytest.raises(WarehouseError, match=r"schema 9999, this curator knows up to \d+"), open_warehouse(path):
        pytest.fail("must not open")
    assert list_tables(path) == before


def test_a_migration_that_fails_half_way_leaves_nothing_behind(tmp_path, monkeypatch):
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_good.sql").write_text("create table good (a int)")
    (folder / "0002_bad.sql").write_text("create table half (a int); insert into nowhere values (1)")
    monkeypatch.setattr(migrations, "MIGRATIONS", folder)
    connection = duckdb.connect()
    with pytest.raises(duckdb.Error):
        migrations.migrate(connection)
    tables = {row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()}
    assert tables == {"migration", "good"}
    (folder / "0002_bad.sql").write_text("create table half (a int)")
    assert migrations.migrate(connection) == 2
    assert connection.execute("select number from migration order by 1").fetchall() == [(1,), (2,)]


def test_database_and_snapshot_have_the_storage_format_that_older_clients_read(built):
    for path in (built / "curator.db", *sorted((built / ".curator" / "snapshots").glob("*.db"))):
        with duckdb.connect(str(path), read_only=True) as connection:
            tags = connection.execute("select tags['storage_version'] from duckdb_databases() where not internal")
            assert tags.fetchone()[0].startswith(STORAGE_VERSION), path.name


def test_rows_of_an_old_database_are_there_after_long_texts_are_packed_anew(tmp_path):
    path = tmp_path / "curator.db"
    text = "Squat with a long text. " * 400
    with duckdb.connect(str(path), config={"storage_compatibility_version": STORAGE_VERSION}) as old:
        old.execute("create table migration (number integer primary key, name text not null)")
        for number, file in migrations.list_migrations()[:3]:
            old.execute(file.read_text())
            old.execute("insert into migration values ($number, $name)", {"number": number, "name": file.stem})
        old.execute(
            "insert into document by name select 'd' || i as id, 's' as source, 'page' as kind, 'k' || i as natural_key,"
            " $text || i as content, '{}' as metadata, now() as fetched_at, 'CC0-1.0' as licence, 'test' as basis,"
            " 'own' as permission from range(3) as numbers(i)",
            {"text": text},
        )
    with open_warehouse(path) as warehouse:
        execute = warehouse.connection.execute
        assert execute("select id, content from document order by id").fetchall() == [
            (f"d{i}", f"{text}{i}") for i in range(3)
        ]
        assert execute("select count(*) from current_document").fetchone() == (3,)
        execute("checkpoint")
        packed = "select distinct column_name from pragma_storage_info('document') where compression = 'ZSTD'"
        assert {name for (name,) in execute(packed).fetchall()} == {"id", "content", "metadata"}
