"""Opens DuckDB files and turns its exceptions into errors that a user understands."""

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import CuratorError, LockedError, WarehouseError, advise_on_disk

if TYPE_CHECKING:
    import duckdb

STORAGE_VERSION = "v1.4.0"
"""Files stay readable for DuckDB 1.4 and later clients."""

MEMORY_BYTES = 2_000_000_000
"""The rest of the machine is for the stages; what does not fit is spilled beside the database."""

_KIND = re.compile(r"^(?:[A-Za-z]+ )+Error: (?:Failed to commit: )?")
_WORDS = {
    ("no space", "not enough", "file too large"): errno.ENOSPC,
    ("permission", "read-only"): errno.EACCES,
    ("input/output error",): errno.EIO,
}
"""DuckDB wraps what the operating system said in words of its own; the number is lost."""

DAMAGED_HINT = "the file is damaged or no DuckDB database: put back a copy, or move it away and ingest again"


def connect(path: Path | str, *, read_only: bool = False) -> "duckdb.DuckDBPyConnection":
    """Opens a database file with the settings that every file of curator has.

    Raises:
        LockedError: Another process has it open for writing.
        WarehouseError: It cannot be opened (not a database, damaged, no rights, disk full).
    """
    import duckdb

    # Reopening with the same storage settings matters: otherwise new files are made in the newest format.
    config: dict[str, Any] = {
        "storage_compatibility_version": STORAGE_VERSION,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
        "preserve_insertion_order": False,
        "memory_limit": f"{find_memory_limit()}B",
    }
    with translate_errors(path):
        connection = duckdb.connect(str(path), read_only=read_only, config=config)
        connection.execute("set timezone = 'UTC'")
        return connection


def find_memory_limit() -> int:
    """Gives how many bytes DuckDB may hold: by itself it keeps what it has read, up to 80 % of the machine's memory."""
    return min(MEMORY_BYTES, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)


@contextlib.contextmanager
def translate_errors(path: Path | str) -> Iterator[None]:
    """Turns DuckDB's and the operating system's errors inside the block into a WarehouseError.

    Raises:
        LockedError: The file is open elsewhere.
        WarehouseError: Anything else that DuckDB or the disk refused.
    """
    import duckdb

    try:
        yield
    except CuratorError:
        raise
    except duckdb.IOException as error:
        text = _first_line(error)
        # DuckDB's own words: a path may contain "lock" as well.
        if "could not set lock" in text.lower():
            raise LockedError(
                f"{path}: {text}", "close the program that has it open, or give --wait SECONDS"
            ) from error
        raise WarehouseError(f"{path}: {text}", _hint_for(text) or DAMAGED_HINT) from error
    except duckdb.Error as error:
        text = _first_line(error)
        raise WarehouseError(f"{path}: {text}", _hint_for(text) or "curator doctor checks the database") from error
    except OSError as error:
        raise WarehouseError(
            f"{error.filename or path}: {error.strerror or error}", advise_on_disk(error.errno)
        ) from error


def _first_line(error: Exception) -> str:
    """Gives what DuckDB says without the names of its kinds of error."""
    return _KIND.sub("", str(error).strip().split("\n", 1)[0])


def _hint_for(text: str) -> str:
    lowered = text.lower()
    found = next((number for words, number in _WORDS.items() if any(word in lowered for word in words)), None)
    return advise_on_disk(found) if found else ""
