"""The open database: runs the named statements of `warehouse/sql/` and moves frames in and out."""

import contextlib
import secrets
import shutil
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import WarehouseError
from warehouse.connection import connect, find_memory_limit, translate_errors
from warehouse.migrate import migrate
from warehouse.statements import load_statement

if TYPE_CHECKING:
    import duckdb
    import polars as pl

HERE = Path(__file__).parent

FRESH = ".tmp-fresh"
COMPACT = ".tmp-compact"
"""Ends of the names of files that take the place of the database when they are whole."""
STREAM_MEMORY = "300MB"
STREAM_LOG = "256MB"


class Warehouse:
    """One open database file. Made by `open_warehouse`; not for use from several threads."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection", path: Path) -> None:
        self.connection = connection
        self.path = path

    def read(self, name: str, **values: Any) -> "pl.DataFrame":
        """Gives the result of `warehouse/sql/<name>.sql` as a frame; values are bound as `$key`."""
        import polars as pl

        with translate_errors(self.path):
            relation = self.connection.sql(load_statement(name), params=values or None)
            frame = pl.from_arrow(relation.to_arrow_table())
        if not isinstance(frame, pl.DataFrame):
            raise WarehouseError(f"statement {name} gave no table")
        return frame

    def read_value(self, name: str, **values: Any) -> Any:
        """Gives the first cell of a statement's result, or None when it has no rows."""
        frame = self.read(name, **values)
        return frame.item(0, 0) if frame.height else None

    def run(self, name: str, **values: Any) -> None:
        """Executes a statement of `warehouse/sql/` for its effect."""
        with translate_errors(self.path):
            self.connection.execute(load_statement(name), values or None)

    def append(self, table: str, frame: "pl.DataFrame", constants: Mapping[str, Any] | None = None) -> None:
        """Inserts a frame into a table, column by name.

        Args:
            table: A table of the migrations.
            frame: Its columns are columns of the table.
            constants: Further columns that have one value in all rows.
        """
        import polars as pl

        if not frame.height:
            return
        extra = [pl.lit(value).alias(name) for name, value in (constants or {}).items()]
        with self.lend({"incoming": frame.with_columns(extra)}), translate_errors(self.path):
            # The table name is one of our own identifiers, never user input; DuckDB cannot bind identifiers.
            if not table.isidentifier():
                raise WarehouseError(f"{table!r} is no table name")
            self.connection.execute(f"insert into {table} by name select * from incoming")  # noqa: S608

    @contextlib.contextmanager
    def lend(self, frames: "Mapping[str, pl.DataFrame]") -> Iterator[None]:
        """Makes frames visible to SQL under the given names inside the block (zero-copy through Arrow)."""
        import polars as pl

        for name, frame in frames.items():
            # Texts as polars holds them; Arrow's older layout would be a copy.
            self.connection.register(name, frame.to_arrow(compat_level=pl.CompatLevel.newest()))
        try:
            yield
        finally:
            for name in frames:
                self.connection.unregister(name)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits everything of the block together, or nothing of it."""
        with translate_errors(self.path):
            self.connection.begin()
            try:
                yield
            except BaseException:
                with contextlib.suppress(Exception):
                    self.connection.rollback()
                raise
            self.connection.commit()

    @contextlib.contextmanager
    def streaming(self) -> Iterator[None]:
        """Holds the database small while batch after batch is appended in the block.

        DuckDB keeps what it has read and written as long as memory lasts, and copies its log into the file
        at every 16 MB; a stream comes back to nothing that it wrote, and has better use for the time. A batch is one
        piece of work: more threads would only take turns on it, and the connector has use for the other cores.
        """
        settings = {"memory_limit": STREAM_MEMORY, "checkpoint_threshold": STREAM_LOG, "threads": 1}
        with translate_errors(self.path):
            for name, value in settings.items():
                self.connection.execute(f"set {name} = '{value}'")
        try:
            yield
        finally:
            with translate_errors(self.path):
                for name in settings:
                    self.connection.execute(f"reset {name}")
                self.connection.execute(f"set memory_limit = '{find_memory_limit()}B'")

    def read_salt(self) -> bytes:
        """Gives the salt of this project's hashes, drawn when the database is made."""
        return bytes.fromhex(str(self.read_value("meta_value", key="salt")))

    def close(self) -> None:
        """Checkpoints and closes the file."""
        self.connection.close()


@contextlib.contextmanager
def open_warehouse(path: Path) -> Iterator[Warehouse]:
    """Opens (or makes) the database for writing, migrates it and closes it after the block.

    The caller holds the project's lock (`warehouse.lock.hold_lock`).

    Raises:
        WarehouseError: It is damaged, newer than this code, or the disk refuses.
    """
    with translate_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        if not path.exists():
            _make(path)
    with _open(path) as warehouse:
        yield warehouse


def _make(path: Path) -> None:
    """Makes the file under another name: one whose header is half written could never be opened again."""
    fresh = path.with_name(f"{path.name}{FRESH}")
    with _open(fresh):
        pass
    fresh.replace(path)


@contextlib.contextmanager
def _open(path: Path) -> Iterator[Warehouse]:
    connection = connect(path)
    warehouse = Warehouse(connection, path)
    try:
        with translate_errors(path):
            migrate(connection)
            create_views(connection, "main")
            warehouse.run("keep_salt", salt=secrets.token_hex(16))
            warehouse.run("keep_writer", version=version("corpus-curator"))
        yield warehouse
    finally:
        with translate_errors(path):
            warehouse.close()


def _sweep(path: Path) -> None:
    """Removes what a killed command left beside the file: a copy that was being made, what DuckDB put off to disk."""
    for name in (FRESH, f"{FRESH}.wal", COMPACT, f"{COMPACT}.wal"):
        path.with_name(f"{path.name}{name}").unlink(missing_ok=True)
    for name in (".tmp", f"{FRESH}.tmp", f"{COMPACT}.tmp"):
        shutil.rmtree(path.with_name(f"{path.name}{name}"), ignore_errors=True)


def create_views(connection: "duckdb.DuckDBPyConnection", folder: str) -> None:
    """Creates the views of `warehouse/views/<folder>/` in the order of their numbers."""
    for file in sorted((HERE / "views" / folder).glob("*.sql")):
        connection.execute(file.read_text(encoding="utf-8"))
