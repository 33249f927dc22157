"""Brings a database to the shape that this version of curator writes."""

from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import WarehouseError
from warehouse.statements import load_statement

if TYPE_CHECKING:
    import duckdb

MIGRATIONS = Path(__file__).parent / "migrations"


def list_migrations() -> list[tuple[int, Path]]:
    """Gives number and file of every migration, in order."""
    return sorted((int(path.name.split("_", 1)[0]), path) for path in MIGRATIONS.glob("[0-9]*.sql"))


def migrate(connection: "duckdb.DuckDBPyConnection") -> int:
    """Applies the migrations that are missing, each in a transaction of its own.

    Returns:
        The number of the newest migration.

    Raises:
        WarehouseError: The database was written by a newer curator.
    """
    connection.execute("create table if not exists migration (number integer primary key, name text not null)")
    done = {row[0] for row in connection.execute("select number from migration").fetchall()}
    known = list_migrations()
    newest = known[-1][0]
    if done and max(done) > newest:
        raise WarehouseError(
            f"the database has schema {max(done)}, this curator knows up to {newest}", _name_remedy(connection)
        )
    for number, path in known:
        if number not in done:
            _apply(connection, number, path)
    return newest


def _name_remedy(connection: "duckdb.DuckDBPyConnection") -> str:
    row = connection.execute(load_statement("meta_value"), {"key": "written_by"}).fetchone()
    return f'pip install "corpus-curator>={row[0]}"' if row else "install a newer corpus-curator"


def _apply(connection: "duckdb.DuckDBPyConnection", number: int, path: Path) -> None:
    connection.begin()
    try:
        connection.execute(path.read_text(encoding="utf-8"))
        connection.execute("insert into migration values ($number, $name)", {"number": number, "name": path.stem})
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
