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
        owner = json.loads(path.read_bytes())
        os.kill(int(owner["pid"]), 0)
    except PermissionError:
        return _describe(owner)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return _describe(owner)


def _acquire(descriptor: int, path: Path, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise LockedError(
                    f"{path.parent.parent}: locked by {_describe_owner(descriptor)}",
                    "wait for it, or give --wait SECONDS",
                ) from error
            time.sleep(POLL_S)
        else:
            return


def _describe(owner: Mapping[str, Any]) -> str:
    return f"PID {owner['pid']} (curator {owner['command']}, since {owner['since']})"


def _describe_owner(descriptor: int) -> str:
    try:
        return _describe(json.loads(os.pread(descriptor, 4096, 0)))
    except (ValueError, KeyError, TypeError):
        return "another process that is just starting"
