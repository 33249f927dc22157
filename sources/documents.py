"""The connector of books and other documents that the user owns: text, HTML, EPUB, PDF and Word become pages.

Everything but plain text is converted to markdown by markitdown (extra `documents`); from there on a book is a page
like any other, and its line numbers are those of the converted text.
"""

import re
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from schemas.document import Permission, document_id
from schemas.errors import ConfigError
from schemas.identity import dump_canonical
from sources.files import Found, FoundFile, RefusedFileError, find_files, in_batches, read_text
from sources.protocol import Batch, Rejection, SourceContext

BATCH_FILES = 16
MAX_FILE_BYTES = 100 * 2**20
# What an archive may unpack to: a real book stays far below, a bomb does not.
MAX_UNPACKED_BYTES = 500 * 2**20
PLAIN_SUFFIXES = (".txt", ".text")
CONVERTED_SUFFIXES = (".html", ".htm", ".epub", ".pdf", ".docx")
INSTALL_HINT = "pip install 'corpus-curator[documents]'"

_CHAPTER = re.compile(r"(?:chapter|part|section|appendix)\s+[\divxlc]+\b[^.]{0,80}$", re.IGNORECASE)
_TWO_CAPITALS = re.compile(r"[A-Z]{2}")
MAX_HEADING_CHARS = 60


class DocumentsOptions(BaseModel):
    """What to read and what is known about its rights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: list[Path] = Field(min_length=1, description="Folders and files: .txt .html .epub .pdf .docx")
    licence: str = Field(default="unknown", description="SPDX id, where there is one.")
    permission: Permission = Field(default="unknown", description="Whether we may train on it.")
    basis: str = Field(default="documents of the user", description="Why we may hold them, in words.")
    label: str | None = Field(default=None, description="Stands for the folder's name in natural keys.")
    language: str | None = Field(default=None, description="Language code of the documents, where it is known.")


class DocumentsSource:
    """Reads books and documents; each becomes one document of kind `page`."""

    name: ClassVar[str] = "documents"
    Options: ClassVar[type[BaseModel]] = DocumentsOptions

    def __init__(self, options: BaseModel, context: SourceContext) -> None:
        self._options = DocumentsOptions.model_validate(options)
        self._context = context

    def read(self, after: str | None) -> Iterator[Batch]:
        """Yields documents in the order of their keys; the cursor is the key of the last one.

        Raises:
            ConfigError: A path is missing, there is no document, or all need a converter that is not installed.
        """
        suffixes = (*PLAIN_SUFFIXES, *CONVERTED_SUFFIXES)
        entries = find_files(self._options.path, suffixes, label=self._options.label, max_bytes=MAX_FILE_BYTES)
        _check_converter(entries)
        left = [(key, entry) for key, entry in entries if after is None or key > after]
        if not left:
            yield Batch.of([])
            return
        for rows, refused, key in in_batches(left, self._read_document, BATCH_FILES):
            yield Batch.of(rows, tuple(refused), None if key == left[-1][0] else key)

    def _read_document(self, file: FoundFile) -> dict[str, object]:
        title, text = _read_as_markdown(file.path)
        if not text.strip():
            detail = "no text in it; scanned pages need text recognition first"
            raise RefusedFileError(Rejection(str(file.path), "no_text", detail))
        head = {"title": title, "language": self._options.language}
        return {
            "id": document_id(self.name, file.key, text),
            "source": self.name,
            "kind": "page",
            "natural_key": file.key,
            "title": title,
            "content": text,
            "metadata": dump_canonical(
                {
                    "line_offset": 0,
                    "front_matter": {key: value for key, value in head.items() if value is not None},
                    "folders": list(file.folders),
                    "converted_from": file.path.suffix.lower().lstrip("."),
                }
            ),
            "fetched_at": self._context.now,
            "licence": self._options.licence,
            "basis": self._options.basis,
            "permission": self._options.permission,
        }


def _check_converter(entries: list[tuple[str, Found]]) -> None:
    files = [entry for _, entry in entries if isinstance(entry, FoundFile)]
    if files and not _has_converter() and not any(file.path.suffix.lower() in PLAIN_SUFFIXES for file in files):
        raise ConfigError(f"{files[0].path}: needs the converter markitdown, which is not installed", INSTALL_HINT)


def _has_converter() -> bool:
    return find_spec("markitdown") is not None


def _read_as_markdown(path: Path) -> tuple[str | None, str]:
    """Gives (title, markdown)."""
    if path.suffix.lower() in PLAIN_SUFFIXES:
        return None, mark_headings(read_text(path, str(path)))
    if not _has_converter():
        raise RefusedFileError(Rejection(str(path), "needs_markitdown", INSTALL_HINT))
    if path.suffix.lower() in (".epub", ".docx"):
        _check_archive(path)
    title, text = _convert(path)
    return title, mark_headings(text) if path.suffix.lower() == ".pdf" else text


def mark_headings(text: str) -> str:
    """Marks the headings of plain text (`CHAPTER IV`, lines in capitals that stand alone) as those of markdown.

    A first line that stands alone is the title. Indents go, so that verse and quotations are no code; lines keep
    their numbers.
    """
    lines = [line.strip() for line in text.replace("\f", "\n").split("\n")]
    alone = [
        bool(line) and not before and not after
        for before, line, after in zip(["", *lines[:-1]], lines, [*lines[1:], ""], strict=True)
    ]
    first = next((number for number, line in enumerate(lines) if line), 0)
    marked = [
        f"## {line}" if is_alone and _is_heading(line) else line for line, is_alone in zip(lines, alone, strict=True)
    ]
    if alone[first] and len(lines[first]) <= MAX_HEADING_CHARS and not lines[first].startswith("#"):
        marked[first] = f"# {lines[first]}"
    return "\n".join(marked)


def _is_heading(line: str) -> bool:
    is_capitals = line.upper() == line and bool(_TWO_CAPITALS.search(line)) and len(line) <= MAX_HEADING_CHARS
    return is_capitals or bool(_CHAPTER.match(line))


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise RefusedFileError(Rejection(str(path), "unreadable_document", f"no {path.suffix}: {error}")) from error
    if size > MAX_UNPACKED_BYTES:
        detail = f"unpacks to {size / 2**20:.0f} MB, at most {MAX_UNPACKED_BYTES // 2**20} MB are read"
        raise RefusedFileError(Rejection(str(path), "too_large", detail))


def _convert(path: Path) -> tuple[str | None, str]:
    from markitdown import MarkItDown, MarkItDownException

    try:
        result = MarkItDown(enable_plugins=False).convert_local(path)
    except (MarkItDownException, OSError, ValueError, KeyError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise RefusedFileError(Rejection(str(path), "unreadable_document", first[:200])) from error
    if result.markdown.startswith("%PDF-"):
        raise RefusedFileError(Rejection(str(path), "unreadable_document", "a damaged PDF"))
    text = result.markdown.replace("\r\n", "\n").encode("utf-8", "replace").decode("utf-8")
    return result.title, text
