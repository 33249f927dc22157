"""Runs the named statements of `warehouse/sql/` on the newest snapshot, from as many threads as ask.

A snapshot never changes, so what it answers can be remembered until the next one is published. Only trusted
statements run here; the user's SQL has a process of its own (`sql_pool`).
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.service.errors import ServiceError
from schemas.errors import WarehouseError
from warehouse import Warehouse, find_snapshot
from warehouse.connection import connect

if TYPE_CHECKING:
    import duckdb
    import polars as pl

MAX_REMEMBERED = 256
OPEN_TRIES = 3


Compute = Callable[[Warehouse], Any]


class _Open:
    """One opened snapshot and what it has answered."""

    def __init__(self, path: Path, connection: "duckdb.DuckDBPyConnection") -> None:
        self.path = path
        self.connection = connection
        self.remembered: dict[tuple[Any, ...], Any] = {}


class SnapshotReader:
    """The newest snapshot, opened once and again when a newer one is published.

    Where there is something to work out ahead (`ahead`), a newer snapshot takes the place of the older one as soon as
    that is done, a second or two after it was published; nobody waits for it.

    Args:
        folder: Where snapshots are published.
        memory_mb: What DuckDB may use in this process, in MB.
        ahead: What is remembered of each snapshot before it is shown, by its key.
    """

    def __init__(
        self, folder: Path, memory_mb: int = 1024, ahead: Mapping[tuple[Any, ...], Compute] | None = None
    ) -> None:
        self._folder = folder
        self._memory_mb = memory_mb
        self._ahead = dict(ahead or {})
        self._guard = threading.Lock()
        self._opening = threading.Lock()
        self._current: _Open | None = None

    @property
    def version(self) -> str:
        """The number of the snapshot that is shown, such as `000007`; empty when there is none yet."""
        try:
            return self._find_current().path.stem
        except WarehouseError:
            return ""

    @contextlib.contextmanager
    def open(self) -> Iterator[Warehouse]:
        """Lends the newest snapshot to the library functions that read one; each block has its own connection.

        Raises:
            WarehouseError: There is none yet, or it is damaged.
        """
        with self._lend(self._find_current()) as snapshot:
            yield snapshot

    def read(self, statement_name: str, **values: Any) -> "pl.DataFrame":
        """Gives the result of `warehouse/sql/<statement_name>.sql`; values are bound as `$key`.

        Raises:
            WarehouseError: There is no snapshot yet, or the statement failed.
        """
        with self.open() as snapshot:
            return snapshot.read(statement_name, **values)

    def read_within(self, limit_s: float, statement_name: str, **values: Any) -> "pl.DataFrame":
        """Gives the same as `read`, or breaks off.

        Args:
            limit_s: Seconds that it may take.
            statement_name: File under `warehouse/sql/`.
            values: What is bound.

        Raises:
            ServiceError: It takes longer (503).
            WarehouseError: As `read`.
        """
        is_late = threading.Event()
        with self.open() as snapshot:

            def stop() -> None:
                is_late.set()
                snapshot.connection.interrupt()

            timer = threading.Timer(limit_s, stop)
            timer.start()
            try:
                return snapshot.read(statement_name, **values)
            except WarehouseError as error:
                if not is_late.is_set():
                    raise
                raise ServiceError(
                    503,
                    f"looking through the corpus takes over {limit_s:g} s",
                    "choose a source, a category or a split, or a word that is not rare; curator sql has no limit",
                ) from error
            finally:
                timer.cancel()

    def read_cached(self, statement_name: str, **values: Any) -> "pl.DataFrame":
        """Gives the same as `read`, but asks each snapshot only once."""
        frame: pl.DataFrame = self.remember(
            (statement_name, *sorted(values.items())), lambda snapshot: snapshot.read(statement_name, **values)
        )
        return frame

    def remember(self, key: tuple[Any, ...], compute: Compute) -> Any:
        """Gives `compute(snapshot)`, computed once a snapshot and key.

        Args:
            key: What is computed; hashable.
            compute: Gets the open snapshot.
        """
        return self._remember(self._find_current(), key, compute)

    def refresh(self) -> None:
        """Shows the newest snapshot from now on, and returns when what is worked out ahead is there.

        Raises:
            WarehouseError: There is none yet, or it is damaged.
        """
        with self._opening:
            newest = find_snapshot(self._folder)
            if self._current is not None and self._current.path == newest:
                return
            opened = self._connect()
            for key, compute in self._ahead.items():
                self._remember(opened, key, compute)
            # The older one closes itself when the last who reads it has let go.
            self._current = opened

    def prepare(self) -> None:
        """Does what `refresh` does, without a word where there is no snapshot or a damaged one."""
        # What is wrong with the newest snapshot is told by the next one or by the doctor; the older one still answers.
        with contextlib.suppress(WarehouseError):
            self.refresh()

    def close(self) -> None:
        """Lets go of the snapshot; a later read opens it again."""
        self._current = None

    def _find_current(self) -> _Open:
        newest = find_snapshot(self._folder)
        current = self._current
        if current is None or (current.path != newest and not self._ahead):
            self.refresh()
        elif current.path != newest and not self._opening.locked():
            threading.Thread(target=self.prepare, name="snapshot", daemon=True).start()
        found = self._current
        if found is None:
            raise WarehouseError(f"{self._folder}: the reader was closed", "start the service again")
        return found

    @contextlib.contextmanager
    def _lend(self, opened: _Open) -> Iterator[Warehouse]:
        with self._guard:
            cursor = opened.connection.cursor()
        try:
            yield Warehouse(cursor, opened.path)
        finally:
            cursor.close()

    def _remember(self, opened: _Open, key: tuple[Any, ...], compute: Compute) -> Any:
        if key not in opened.remembered:
            with self._lend(opened) as snapshot:
                found = compute(snapshot)
            if len(opened.remembered) >= MAX_REMEMBERED:
                opened.remembered.clear()
            opened.remembered[key] = found
            return found
        return opened.remembered[key]

    def _connect(self) -> _Open:
        for attempt in range(OPEN_TRIES):
            path = find_snapshot(self._folder)
            try:
                connection = connect(path, read_only=True)
            except WarehouseError:
                # Two newer ones may have been published since the folder was listed, and this one removed.
                if attempt + 1 == OPEN_TRIES or path.exists():
                    raise
            else:
                connection.execute(f"set memory_limit = '{self._memory_mb}MB'")
                # Pages of a search are cut by position: rows must come in the order in which they are stored.
                connection.execute("set preserve_insertion_order = true")
                return _Open(path, connection)
        raise WarehouseError(f"{self._folder}: the newest snapshot cannot be opened", "curator doctor")
