"""The user's SQL: each query in a process of its own that is started ahead of time, limited, and killed at its end.

A process serves one query and dies, so nothing that a query does to its process (temp macros, memory, settings) can
reach another. Starting it beforehand hides the import of DuckDB, not more.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.service.errors import ServiceError
from curator.sql.run import CHILD, REFUSED, QueryLimits
from schemas.errors import ConfigError, WarehouseError
from warehouse import find_snapshot

if TYPE_CHECKING:
    import polars as pl

MAX_SQL_BYTES = 20_000
LIMITS = QueryLimits(
    max_rows=1_000, max_bytes=2_000_000, cpu_s=6, wall_s=5.0, memory_mb=512, address_space=1_500_000_000
)
MAX_PATIENCE_S = 5.0


@dataclass(frozen=True)
class SqlOrder:
    """By which column of the result it is sorted, over all its rows.

    Attributes:
        column: Position of the column, from 0.
        is_descending: Largest first.
    """

    column: int
    is_descending: bool = False


@dataclass(frozen=True)
class SqlResult:
    """What a query gave.

    Attributes:
        frame: Its rows, at most as many as the limits allow.
        is_truncated: There are more.
        elapsed_s: Seconds from the request to the last byte.
        snapshot: The snapshot that answered, such as `000007`.
    """

    frame: "pl.DataFrame"
    is_truncated: bool
    elapsed_s: float
    snapshot: str


class SqlError(ConfigError):
    """A query that was refused or does not fit the tables.

    Args:
        message: What DuckDB says, in one line.
        hint: What to do.
        position: Byte offset in the query that it speaks of, or None.
    """

    def __init__(self, message: str, hint: str = "", position: int | None = None) -> None:
        super().__init__(message, hint)
        self.position = position


class SqlPool:
    """Keeps `size` processes ready and runs at most so many queries at the same time.

    Args:
        snapshots: Folder of the snapshots.
        size: Ready processes, and queries at once; others wait a moment and are then refused with 503.
    """

    def __init__(self, snapshots: Path, size: int = 2) -> None:
        self._snapshots = snapshots
        self._size = size
        self._guard = threading.Lock()
        self._ready: deque[subprocess.Popen[bytes]] = deque()
        self._places = threading.BoundedSemaphore(size)
        self._is_closed = False
        # The kernel ends a child with the thread that started it, not with the process (prctl(2), PR_SET_PDEATHSIG), and
        # those that answer requests end when they are idle: one thread, which lives as long as the pool, starts them all.
        self._starter = ThreadPoolExecutor(1, "sql-starter")

    def warm(self) -> None:
        """Starts the processes that are missing."""
        with self._guard:
            while not self._is_closed and len(self._ready) < self._size:
                self._ready.append(self._start())

    def wait_until_warm(self) -> None:
        """Blocks until the processes are ready; to be called before the first query."""
        with self._guard:
            for child in self._ready:
                if child.stderr is not None:
                    child.stderr.readline()

    def run(
        self,
        sql: str,
        limits: QueryLimits = LIMITS,
        *,
        offset: int = 0,
        order: SqlOrder | None = None,
    ) -> SqlResult:
        """Runs one SELECT (or SHOW, DESCRIBE, SUMMARIZE, EXPLAIN) on the newest snapshot; blocks for up to 5 s.

        Args:
            sql: The query, 20 kB at most.
            limits: What it may use.
            offset: Rows of the result to skip, for pages.
            order: How the whole result is sorted before the page is cut.

        Raises:
            SqlError: The query is not allowed, does not parse, or names what is not there.
            WarehouseError: It failed, went over a limit, or there is no snapshot.
            ServiceError: Too many others are running (503).
        """
        started = time.monotonic()
        if len(sql.encode("utf-8", "replace")) > MAX_SQL_BYTES:
            raise SqlError(f"query: over {MAX_SQL_BYTES:,} bytes", "shorten it")
        snapshot = find_snapshot(self._snapshots)
        request = {
            "path": str(snapshot),
            "sql": sql,
            **vars(limits),
            "max_rows": None if limits.max_rows is None else limits.max_rows + 1,
            "offset": offset,
            "order": None if order is None else [order.column, order.is_descending],
        }
        with self._take() as child:
            output, errors, code = _converse(child, request, limits)
        elapsed_s = time.monotonic() - started
        return _read_result(output, errors, code, limits, elapsed_s, snapshot.stem)

    def close(self) -> None:
        """Ends the processes that wait."""
        with self._guard:
            self._is_closed = True
            waiting = list(self._ready)
            self._ready.clear()
        for child in waiting:
            _end(child)
        self._starter.shutdown()

    def _start(self) -> "subprocess.Popen[bytes]":
        try:
            return self._starter.submit(_start).result()
        except RuntimeError as error:
            raise ServiceError(503, "query: the service is stopping", "start it again") from error

    @contextlib.contextmanager
    def _take(self) -> Any:
        if not self._places.acquire(timeout=MAX_PATIENCE_S):
            raise ServiceError(503, "query: others are still running", "try again in a moment", {"Retry-After": "2"})
        child: subprocess.Popen[bytes] | None = None
        try:
            with self._guard:
                child = self._ready.popleft() if self._ready else None
            # One that died while it waited (an update of the interpreter, the memory killer) is no reason to fail.
            if child is None or child.poll() is not None:
                child = self._start()
            yield child
        finally:
            if child is not None:
                _end(child)
            self._places.release()
            self.warm()


def _start() -> "subprocess.Popen[bytes]":
    # Nothing of the service's environment: its keys are none of a query's business. The rest keeps address space, which
    # is limited, from being reserved by allocators for threads that do nothing (2.1 GB, with these 0.4 GB).
    environment = {
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "MALLOC_ARENA_MAX": "2",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-P", str(CHILD), "--warm"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd="/",
        start_new_session=True,
    )


def _converse(
    child: "subprocess.Popen[bytes]", request: dict[str, Any], limits: QueryLimits
) -> tuple[bytes, bytes, int]:
    """Sends the request and reads the answer; at the wall limit, or past the size limit, the process is killed."""
    if child.stdin is None or child.stdout is None or child.stderr is None:
        raise WarehouseError("query: its process has no pipes")
    was_late = threading.Event()

    def stop() -> None:
        was_late.set()
        child.kill()

    timer = threading.Timer(limits.wall_s or 3600.0, stop)
    timer.start()
    try:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(json.dumps(request).encode())
            child.stdin.close()
        most = 2 * (limits.max_bytes or sys.maxsize // 2) + 65_536
        output = child.stdout.read(most)
        if len(output) >= most:
            child.kill()
            raise WarehouseError("query: its result is too large", "select fewer columns or shorten the texts")
        errors = child.stderr.read(65_536)
        code = child.wait()
    finally:
        timer.cancel()
    if was_late.is_set():
        raise WarehouseError(f"query: stopped after {limits.wall_s:g} s", "ask for less: a filter, fewer columns")
    return output, errors, code


def _read_result(
    output: bytes, errors: bytes, code: int, limits: QueryLimits, elapsed_s: float, snapshot: str
) -> SqlResult:
    import pyarrow as pa

    from curator.sql.formats import make_frame

    note = _read_note(errors, code)
    if code == REFUSED:
        raise SqlError(
            f"query: {note.get('error')}", "the tables and columns are listed beside it", note.get("position")
        )
    if code:
        raise WarehouseError(f"query: {note.get('error')}", "ask for less: a filter, fewer columns")
    with pa.ipc.open_stream(output) as stream:
        frame = make_frame(stream.read_all())
    most = limits.max_rows or frame.height
    return SqlResult(
        frame.head(most),
        frame.height > most or bool(note.get("is_truncated")),
        round(elapsed_s, 4),
        snapshot,
    )


def _read_note(errors: bytes, code: int) -> dict[str, Any]:
    lines = errors.decode(errors="replace").strip().splitlines()
    with contextlib.suppress(ValueError, IndexError):
        note = json.loads(lines[-1])
        if isinstance(note, dict):
            return note
    if code < 0:
        return {"error": "it used more processor time or memory than it may"}
    return {"error": lines[-1][:500] if lines else f"its process ended with {code}"} if code else {}


def _end(child: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
