"""Runs the named statements of `warehouse/sql/` on the newest snapshot, from as many threads as ask.

A snapshot never changes, so what it answers can be remembered until the next one is published. Only trusted
statements run here; the user's SQL has a process of its own (`sql_pool`).
"""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import WarehouseError
from warehouse import Warehouse, find_snapshot
from warehouse.connection import connect

if TYPE_CHECKING:
    import duckdb
    import polars as pl

MAX_REMEMBERED = 256
OPEN_TRIES = 3


class SnapshotReader:
    """The newest snapshot, opened once and again when a newer one is published.

    Args:
        folder: Where snapshots are published.
        memory_mb: What DuckDB may use in this process, in MB.
    """

    def __init__(self, folder: Path, memory_mb: int = 1024) -> None:
        self._folder = folder
        self._memory_mb = memory_mb
        self._guard = threading.Lock()
        self._path: Path | None = None
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._remembered: dict[tuple[Any, ...], Any] = {}

    @property
    def path(self) -> Path:
        """The newest snapshot.

        Raises:
            WarehouseError: There is none yet.
        """
        return find_snapshot(self._folder)

    @property
    def version(self) -> str:
        """The number of the newest snapshot, such as `000007`; empty when there is none."""
        try:
            return self.path.stem
        except WarehouseError:
            return ""

    @contextlib.contextmanager
    def open(self) -> Iterator[Warehouse]:
        """Lends the newest snapshot to the library functions that read one; each block has its own connection.

        Raises:
            WarehouseError: There is none yet, or it is damaged.
        """
        path, cursor = self._make_cursor()
        try:
            yield Warehouse(cursor, path)
        finally:
            cursor.close()

    def read(self, statement_name: str, **values: Any) -> "pl.DataFrame":
        """Gives the result of `warehouse/sql/<statement_name>.sql`; values are bound as `$key`.

        Raises:
            WarehouseError: There is no snapshot yet, or the statement failed.
        """
        with self.open() as snapshot:
            return snapshot.read(statement_name, **values)

    def read_cached(self, statement_name: str, **values: Any) -> "pl.DataFrame":
        """Gives the same as `read`, but asks each snapshot only once."""
        frame: pl.DataFrame = self.remember(
            (statement_name, *sorted(values.items())), lambda snapshot: snapshot.read(statement_name, **values)
        )
        return frame

    def remember(self, key: tuple[Any, ...], compute: Any) -> Any:
        """Gives `compute(snapshot)`, computed once a snapshot and key.

        Args:
            key: What is computed; hashable.
            compute: Gets the open snapshot.
        """
        with self.open() as snapshot:
            full_key = (snapshot.path.name, *key)
            if full_key not in self._remembered:
                found = compute(snapshot)
                with self._guard:
                    if len(self._remembered) >= MAX_REMEMBERED:
                        self._remembered.clear()
                    self._remembered[full_key] = found
                return found
            return self._remembered[full_key]

    def close(self) -> None:
        """Closes the snapshot; a later read opens it again."""
        with self._guard:
            self._drop()

    def _make_cursor(self) -> "tuple[Path, duckdb.DuckDBPyConnection]":
        with self._guard:
            newest = self.path
            if self._connection is None or newest != self._path:
                self._drop()
                self._path, self._connection = self._connect()
            # The database lives as long as its last cursor, so a reader of the older snapshot is not disturbed.
            return self._path or newest, self._connection.cursor()

    def _connect(self) -> "tuple[Path, duckdb.DuckDBPyConnection]":
        for attempt in range(OPEN_TRIES):
            path = self.path
            try:
                connection = connect(path, read_only=True)
            except WarehouseError:
                # Two newer ones may have been published since the folder was listed, and this one removed.
                if attempt + 1 == OPEN_TRIES or path.exists():
                    raise
            else:
                connection.execute(f"set memory_limit = '{self._memory_mb}MB'")
                return path, connection
        raise WarehouseError(f"{self._folder}: the newest snapshot cannot be opened", "curator doctor")

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._path = None, None
        self._remembered.clear()
