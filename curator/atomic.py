"""Whole old file or whole new file, never a torn one: temporary, fsync, rename."""

import contextlib
import ctypes
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from schemas.errors import ExportError, advise_on_disk

TEMPORARY = ".curator-tmp-"
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def write_file(path: Path, data: bytes) -> None:
    """Writes a file so that a reader, or a crash, sees the old one or the new one.

    Raises:
        ExportError: The disk refuses; what was there before is unchanged.
    """
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        # One with our own number is left from an earlier process that had it (in a container that is the rule).
        _discard(temporary)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise ExportError(f"{path}: {error.strerror}", advise_on_disk(error.errno)) from error


@contextlib.contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """Gives a new folder to fill, which takes the place of `path` when the block ends without an error.

    An existing folder is exchanged in one step where the system can (Linux renameat2), so that no reader ever finds
    half of each.

    Raises:
        ExportError: The disk refuses; what was there before is unchanged.
    """
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        _discard(temporary)
        temporary.mkdir()
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                _sync_file(file)
        sync_folder(temporary)
        if path.exists():
            _exchange(temporary, path)
            shutil.rmtree(temporary)
        else:
            temporary.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise ExportError(f"{path}: {error.strerror}", advise_on_disk(error.errno)) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_folder(path: Path) -> None:
    """Deletes a folder so that a reader, or a crash, sees all of it or none of it."""
    sweep(path.parent)
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    _discard(temporary)
    with contextlib.suppress(OSError):
        path.rename(temporary)
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.rmtree(path, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Removes what killed runs left in a folder; temporaries of living processes and files of others stay."""
    for path in folder.glob(f"{TEMPORARY}*"):
        owner = path.name.removeprefix(TEMPORARY).split("-", 1)[0]
        if not owner.isdigit() or Path(f"/proc/{owner}").exists():
            continue
        _discard(path)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _discard(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _exchange(new: Path, old: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    rename = getattr(libc, "renameat2", None)
    if rename is not None:
        code = rename(_AT_FDCWD, os.fsencode(new), _AT_FDCWD, os.fsencode(old), _RENAME_EXCHANGE)
        if code == 0:
            return
    # Without renameat2 there is a moment with no folder; a rerun finds and sweeps the rest.
    parked = old.with_name(f"{new.name}-old")
    old.rename(parked)
    new.rename(old)
    parked.rename(new)
