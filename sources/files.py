"""Finds and reads the files that a user points at, refusing what is dangerous or not text.

Every connector that reads folders goes through here, so that natural keys, order and refusals are the same.
"""

import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ConfigError
from sources.protocol import Rejection

MAX_TEXT_BYTES = 5 * 2**20

# Files that lie beside knowledge and are none: they would become questions about copyright or about the folder.
# A file that is named itself is read all the same.
BOILERPLATE_STEMS = (
    "changelog",
    "code_of_conduct",
    "code-of-conduct",
    "contributing",
    "copying",
    "licence",
    "license",
    "notice",
    "readme",
    "security",
)

_SIGNATURES = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a zip archive (docx, epub, xlsx)",
    b"\x1f\x8b": "a gzip file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


@dataclass(frozen=True)
class FoundFile:
    """A regular file below a root.

    Attributes:
        path: Where it is; inside its root even when links are followed.
        key: Root label + "/" + relative path in POSIX form: its name on every machine.
        folders: Names of the folders from the root (included) down to the file.
    """

    path: Path
    key: str
    folders: tuple[str, ...]


class RefusedFileError(Exception):
    """A file that cannot be read as text; carries the rejection."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.detail)
        self.rejection = rejection


Found = FoundFile | Rejection


def find_files(
    paths: Sequence[Path], suffixes: Collection[str], *, label: str | None = None, max_bytes: int = MAX_TEXT_BYTES
) -> list[tuple[str, Found]]:
    """Gives (key, file or refusal) below the paths, sorted by key.

    Hidden files and folders are passed over. Links that lead out of the root, FIFOs and other special files, files
    above `max_bytes` and names that are not UTF-8 are refused with a line each.

    Args:
        paths: Files and folders. A file's root is the folder it lies in.
        suffixes: Lower-case endings with their dot; other files of a folder are passed over.
        label: Stands for the root's own name in keys.
        max_bytes: Larger files are refused.

    Raises:
        ConfigError: A path is missing, a named file has another ending, or nothing was found at all.
    """
    found: dict[str, Found] = {}
    seen: set[Path] = set()
    for path in paths:
        root, entries = _list_root(path, suffixes)
        name = label or root.resolve().name
        for entry in entries:
            real = entry.resolve()
            if real in seen and not entry.is_symlink():
                continue
            seen.add(real)
            key = "/".join((name, entry.relative_to(root).as_posix()))
            item = _check_entry(entry, root, key, max_bytes, is_named=entry == path)
            if key in found:
                item = Rejection(
                    str(entry), "same_key", f"another file is already called {key}; ingest one with --label"
                )
                key = f"{key} ({entry})"
            found[_printable(key)] = item
    if not found:
        where = ", ".join(str(path) for path in paths)
        raise ConfigError(
            f"{where}: no file ending in {', '.join(sorted(suffixes))} in there", "name a folder that holds some"
        )
    return sorted(found.items())


def read_text(path: Path, where: str) -> str:
    r"""Reads a file as UTF-8 text; line ends become `\n`, a byte order mark is dropped.

    Raises:
        RefusedFileError: Another format in disguise, NUL bytes, invalid UTF-8 (with the line), or unreadable.
    """
    data = _read_bytes(path, where)
    for signature, what in _SIGNATURES.items():
        if data.startswith(signature):
            raise RefusedFileError(Rejection(where, "not_text", f"begins like {what}, expected UTF-8 text"))
    if b"\x00" in data:
        line = data.count(b"\n", 0, data.index(b"\x00")) + 1
        raise RefusedFileError(Rejection(f"{where}:{line}", "not_text", "holds NUL bytes, expected UTF-8 text"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        detail = f"byte 0x{data[error.start]:02x} is not UTF-8; convert the file with iconv -t UTF-8"
        raise RefusedFileError(Rejection(f"{where}:{line}", "invalid_utf8", detail)) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def in_batches(
    entries: Iterable[tuple[str, Found]],
    read: Callable[[FoundFile], dict[str, object]],
    size: int,
) -> Iterator[tuple[list[dict[str, object]], list[Rejection], str]]:
    """Yields (rows, refusals, key of the last entry), `size` entries at a time.

    Args:
        entries: What `find_files` gave.
        read: Makes the row of a document, or raises RefusedFileError.
        size: Entries a batch.
    """
    rows: list[dict[str, object]] = []
    refused: list[Rejection] = []
    key = ""
    for count, (key, entry) in enumerate(entries, 1):
        if isinstance(entry, Rejection):
            refused.append(entry)
        else:
            try:
                rows.append(read(entry))
            except RefusedFileError as error:
                refused.append(error.rejection)
        if count % size == 0:
            yield rows, refused, key
            rows, refused = [], []
    if rows or refused:
        yield rows, refused, key


def _read_bytes(path: Path, where: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RefusedFileError(Rejection(where, "unreadable", error.strerror or type(error).__name__)) from error


def _list_root(path: Path, suffixes: Collection[str]) -> tuple[Path, list[Path]]:
    if not os.path.lexists(path):
        raise ConfigError(f"{path}: no such file or folder", "check the path")
    if path.is_dir():
        return path, list(_walk(path, suffixes))
    if path.suffix.lower() not in suffixes:
        expected = ", ".join(sorted(suffixes))
        raise ConfigError(
            f"{path}: ends in {path.suffix or 'nothing'}, expected one of {expected}",
            "another `curator ingest` may read it: dataset, transcripts, documents",
        )
    return path.parent, [path]


def _walk(root: Path, suffixes: Collection[str]) -> Iterator[Path]:
    """Yields files that end right, and folders to be refused: linked ones, and those that cannot be listed."""
    unreadable: list[Path] = []
    for folder, folders, names in os.walk(
        root, followlinks=False, onerror=lambda error: unreadable.append(Path(error.filename))
    ):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = Path(folder)
        yield from (here / name for name in folders if (here / name).is_symlink())
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in suffixes:
                yield here / name
    yield from unreadable


def _check_entry(entry: Path, root: Path, key: str, max_bytes: int, *, is_named: bool) -> Found:
    where = _printable(str(entry))
    if where != str(entry):
        return Rejection(where, "invalid_utf8", "the file's name is not UTF-8; rename it")
    refusal = (_check_link(entry, root, where) if entry.is_symlink() else None) or _check_kind(entry, where, max_bytes)
    if refusal is not None:
        return refusal
    if entry.stem.lower().startswith(BOILERPLATE_STEMS) and not is_named:
        return Rejection(where, "not_knowledge", "a licence, readme or changelog; name the file itself", is_fault=False)
    return FoundFile(entry, key, tuple(key.split("/")[:-1]))


def _check_kind(entry: Path, where: str, max_bytes: int) -> Rejection | None:
    status = entry.stat()
    if stat.S_ISDIR(status.st_mode):
        return Rejection(where, "unreadable", "the folder cannot be listed; check its permissions")
    if not stat.S_ISREG(status.st_mode):
        return Rejection(where, "not_a_regular_file", "a FIFO, socket or device, expected a file")
    if status.st_size > max_bytes:
        size_mb, limit_mb = status.st_size / 2**20, max_bytes / 2**20
        return Rejection(where, "too_large", f"{size_mb:.1f} MB, at most {limit_mb:g} MB are read; split it")
    return None


def _check_link(entry: Path, root: Path, where: str) -> Rejection | None:
    try:
        target = entry.resolve(strict=True)
    except (OSError, RuntimeError):
        return Rejection(where, "broken_link", "the link leads nowhere")
    if not target.is_relative_to(root.resolve()):
        return Rejection(where, "link_out_of_root", f"the link leads out of {root}; only files inside are read")
    if target.is_dir():
        return Rejection(where, "linked_folder", "folders behind links are not followed", is_fault=False)
    return None


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
