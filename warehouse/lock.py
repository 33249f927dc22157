"""One writer at a time: an advisory lock that names its owner and dies with its process."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.errors import LockedError

POLL_S = 0.1
NAMELESS_S = 2.0
"""How long to look for the name of an owner that has just taken the lock and not yet written it."""


@contextlib.contextmanager
def hold_lock(path: Path, command: str, wait_s: float = 0.0) -> Iterator[None]:
    """Holds the project's write lock for the time of the block.

    The kernel releases an flock when its process dies, so a killed command never leaves a stale lock; the text in
    the file only tells others who holds it.

    Args:
        path: The lock file; made if absent, never deleted (deleting would let two processes hold two inodes).
        command: Shown to whoever meets the lock.
        wait_s: How long to try before giving up, in seconds.

    Raises:
        LockedError: Another process holds it after `wait_s`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _acquire(descriptor, path, wait_s)
        owner = {"pid": os.getpid(), "command": command, "since": datetime.now(UTC).isoformat(timespec="seconds")}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(owner).encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def read_owner(path: Path) -> str | None:
    """Gives who holds a lock, or None; only looks, so that nobody who wants the lock is turned away meanwhile."""
    try:
        return _find_living(path.read_bytes())
    except OSError:
        return None


def _acquire(descriptor: int, path: Path, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = _find_living(os.pread(descriptor, 4096, 0))
            late_s = time.monotonic() - deadline
            if late_s >= 0 and (owner or late_s >= NAMELESS_S):
                raise LockedError(
                    f"{path.parent.parent}: locked by {owner or 'another process'}",
                    "wait for it, or give --wait SECONDS",
                ) from error
            time.sleep(POLL_S)
        else:
            return


def _find_living(text: bytes) -> str | None:
    """Gives the owner that a lock file names; None where it names nobody, or one who died and could not wipe it out."""
    try:
        owner: Mapping[str, Any] = json.loads(text)
        name = f"PID {owner['pid']} (curator {owner['command']}, since {owner['since']})"
        os.kill(int(owner["pid"]), 0)
    except PermissionError:
        return name
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return name
