"""What is costly to make and the same for every project: kept in a folder of the user, made anew where it is lost."""

import contextlib
import hashlib
import os
import tempfile
import time
from pathlib import Path

KEEP = 8
"""Files of a kind that stay: those used last; others belong to versions, processors and packs that are gone."""
_TEMPORARY = ".tmp-"
_LEFT_BEHIND_S = 3600
_DIGEST_BYTES = 32


def cache_folder() -> Path:
    """Gives the folder: `$CURATOR_CACHE_DIR`, else `curator` in the user's cache folder."""
    folder = os.environ.get("CURATOR_CACHE_DIR")
    if folder:
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "curator"


def read_cached(path: Path) -> bytes | None:
    """Gives the contents of a file that `write_cached` wrote, or None if it is missing, cut short or damaged."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    body = data[_DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != data[:_DIGEST_BYTES]:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return body


def write_cached(path: Path, body: bytes) -> None:
    """Keeps the contents for the next process; where nothing can be written, every process makes them anew.

    Of files whose names begin alike up to the first hyphen, the `KEEP` stay that were used last.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=_TEMPORARY, delete=False) as file:
            temporary = Path(file.name)
            try:
                file.write(hashlib.sha256(body).digest() + body)
                file.flush()
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        alike = path.parent.glob(f"{path.name.partition('-')[0]}-*")
        for old in sorted(alike, key=lambda found: found.stat().st_mtime_ns)[:-KEEP]:
            old.unlink(missing_ok=True)
        for left in path.parent.glob(f"{_TEMPORARY}*"):
            if left.stat().st_mtime < time.time() - _LEFT_BEHIND_S:
                left.unlink(missing_ok=True)
    except OSError:
        return
