"""The service's log: who asked for what and how it ended, one JSON object a line; no secret, no text of the corpus.

A route is named by its pattern and never by its address, which may hold a token or words that somebody searched for.
"""

import os
import threading
from pathlib import Path
from typing import Any

import orjson
import structlog

LOG = Path(".curator") / "service.log"
MAX_BYTES = 20_000_000
"""A fuller log gives way to a new one; the last full one stays beside it as `service.log.1`."""


class LogFile:
    """Appends lines to a file that only its owner may read, and begins a new one where it is full.

    Args:
        path: The file.
        max_bytes: Its size at most.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._guard = threading.Lock()
        self._descriptor = -1
        self._size = 0

    def msg(self, line: bytes) -> None:
        """Appends a line; one that the disk refuses is lost, since whoever asked is answered all the same."""
        data = line + b"\n"
        with self._guard:
            try:
                if self._descriptor < 0 or self._size + len(data) > self._max_bytes:
                    self._open()
                os.write(self._descriptor, data)
                self._size += len(data)
            except OSError:
                self._close()

    info = msg

    def close(self) -> None:
        """Closes the file; a later line opens it again."""
        with self._guard:
            self._close()

    def _open(self) -> None:
        self._close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists() and self._path.stat().st_size >= self._max_bytes - self._max_bytes // 20:
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class ServiceLog:
    """The log of one service.

    Args:
        file: Where its lines go.
    """

    def __init__(self, file: LogFile) -> None:
        self._file = file
        self._log: Any = structlog.wrap_logger(
            file,
            processors=[
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
                structlog.processors.JSONRenderer(serializer=_dump),
            ],
            wrapper_class=structlog.BoundLogger,
            cache_logger_on_first_use=True,
        )

    def note_request(self, method: str, route: str, status: int, seconds: float, client: str | None) -> None:
        """Writes down a request that was answered."""
        self._log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1), client=client)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def open_log(root: Path) -> ServiceLog:
    """Gives the log of a project."""
    return ServiceLog(LogFile(root / LOG))


def _dump(value: Any, **_: Any) -> bytes:
    return orjson.dumps(value)
