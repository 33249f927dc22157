"""Finds transcript files under the given paths and reads one of them, whatever its format."""

import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from schemas.errors import ConfigError
from sources.transcripts.caption_json import read_caption_json
from sources.transcripts.captions import has_sbv_times, read_sbv, read_srt, read_vtt
from sources.transcripts.cues import Reading, UnreadableError, read_chapters
from sources.transcripts.turns import read_turns

SUFFIXES = (".vtt", ".srt", ".sbv", ".sub", ".json", ".md", ".txt")
INFO_SUFFIX = ".info.json"
MAX_SIZE_BYTES = 20_000_000
"""A day of captions is about 2 MB; more is another kind of file."""

LANGUAGE_PART = re.compile(r"\.([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)$")
VIDEO_PART = re.compile(r"\[([A-Za-z0-9_-]{11})\]$")


@dataclass(frozen=True)
class TranscriptFile:
    """A file and what it is called: folder name + relative path, so that ids do not depend on where it lies."""

    path: Path
    root: Path
    natural_key: str


def find_files(paths: Sequence[Path]) -> list[TranscriptFile]:
    """Gives the transcript files of files and folders, ordered by natural key, each once.

    Raises:
        ConfigError: A path does not exist, a folder holds no transcript, or two folders of one name hold files of
            one name.
    """
    found: dict[str, TranscriptFile] = {}
    seen: set[Path] = set()
    for path in paths:
        for file in _find_under(path):
            if file.path.absolute() in seen:
                continue
            seen.add(file.path.absolute())
            other = found.setdefault(file.natural_key, file)
            if other is not file:
                raise ConfigError(
                    f"{file.path} and {other.path} would both be stored as {file.natural_key}",
                    "rename one of the two folders, or give the folder above them",
                )
    return [found[key] for key in sorted(found)]


def read_file(file: TranscriptFile) -> Reading:
    """Reads a transcript; what yt-dlp wrote beside it (`NAME.info.json`) is used as well.

    Raises:
        UnreadableError: The file cannot be used; reason and detail say why.
    """
    text = _read_text(file)
    reading = _read_format(file.path.suffix.lower(), text)
    stem, language = _split_language(file.path.stem)
    bracket = VIDEO_PART.search(stem)
    info = _read_info(file.path.with_name(stem + INFO_SUFFIX))
    return replace(
        reading,
        language=reading.language or language,
        video=reading.video or info.get("id") or (bracket[1] if bracket else None),
        title=reading.title or info.get("title"),
        chapters=reading.chapters or read_chapters(info.get("chapters")),
    )


def _read_format(suffix: str, text: str) -> Reading:
    if suffix == ".vtt" or text.startswith("WEBVTT"):
        return read_vtt(text)
    if suffix == ".srt":
        return read_srt(text)
    if suffix in (".sbv", ".sub") or has_sbv_times(text):
        return read_sbv(text)
    if suffix == ".json":
        return read_caption_json(text)
    return read_turns(text)


def _find_under(path: Path) -> list[TranscriptFile]:
    if path.is_dir():
        files = [
            TranscriptFile(found, path, f"{path.resolve().name}/{found.relative_to(path).as_posix()}")
            for found in _walk(path)
        ]
        if not files:
            raise ConfigError(f"{path}: no transcript in this folder", f"expected {' '.join(SUFFIXES)} files")
        return files
    if not path.exists():
        raise ConfigError(f"{path}: no such file or folder", "curator ingest transcripts PATH takes files and folders")
    parent = path.parent
    return [TranscriptFile(path, parent, f"{parent.resolve().name}/{path.name}")]


def _walk(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            lower = name.lower()
            if lower.endswith(SUFFIXES) and not lower.endswith(INFO_SUFFIX) and not name.startswith("."):
                yield Path(folder) / name


def _read_text(file: TranscriptFile) -> str:
    path = file.path
    if not path.resolve().is_relative_to(file.root.resolve()):
        raise UnreadableError("outside_root", f"a link to a file outside {file.root}")
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError("not_a_file", "a pipe or device, expected a regular file")
        if status.st_size > MAX_SIZE_BYTES:
            raise UnreadableError("too_large", f"{status.st_size} bytes, at most {MAX_SIZE_BYTES} are read")
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableError("unreadable_file", f"{error.strerror}") from error
    return decode_text(data)


def decode_text(data: bytes) -> str:
    """Decodes UTF-8, or UTF-16 with a byte order mark, with line feeds only.

    Raises:
        UnreadableError: Another encoding or a binary file; the detail says at which byte.
    """
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UnreadableError("invalid_utf8", f"byte {error.start} (line {line}) is not UTF-8") from error
    if "\x00" in text or text.startswith("%PDF-"):
        raise UnreadableError("binary_file", "expected text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _split_language(stem: str) -> tuple[str, str | None]:
    match = LANGUAGE_PART.search(stem)
    return (stem[: match.start()], match[1]) if match else (stem, None)


def _read_info(path: Path) -> dict[str, Any]:
    """The description that yt-dlp writes; damaged or absent, it only adds nothing."""
    try:
        if path.stat().st_size > MAX_SIZE_BYTES:
            return {}
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(data, dict):
        return {}
    return {key: data[key] for key in ("id", "title") if isinstance(data.get(key), str)} | {
        "chapters": data.get("chapters")
    }
