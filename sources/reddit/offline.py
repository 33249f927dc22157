"""The offline doors: dumps, tables of posts and saved pages, file after file, with a cursor into each."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from sources.files import FoundFile, find_files
from sources.protocol import Batch, Rejection, SourceContext
from sources.reddit.lines import Start
from sources.reddit.options import RedditOptions
from sources.reddit.shape import Shaper, keep_last

if TYPE_CHECKING:
    import polars as pl

DUMP_SUFFIXES = (".zst", ".ndjson", ".jsonl", ".csv")
SAVED_SUFFIXES = (".json",)
BATCH_ROWS = 5_000
BATCH_REJECTIONS = 10_000
# A filter that wants little still says how far it got.
BATCH_UNPACKED_BYTES = 256 * 2**20
MAX_DUMP_BYTES = 2**50
MAX_SAVED_BYTES = 64 * 2**20
MAX_DAMAGED_LINES = 100_000


@dataclass(frozen=True)
class Piece:
    """Part of a file, shaped.

    Attributes:
        documents: Its documents, or None.
        rejections: What was refused.
        num_rows: Posts and comments seen, wanted or not.
        num_unwanted: Those that the options leave out.
        end: Where the next piece begins; None for a file that is read in one go.
    """

    documents: "pl.DataFrame | None"
    rejections: tuple[Rejection, ...] = ()
    num_rows: int = 0
    num_unwanted: int = 0
    end: Start | None = None


class OfflineCursor(BaseModel):
    """How far an offline run got."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    door: str = "offline"
    key: str
    size_bytes: int
    offset: int
    line: int


@dataclass
class _Pending:
    """What the next batch will carry."""

    documents: "list[pl.DataFrame]" = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    num_bytes: int = 0

    @property
    def is_full(self) -> bool:
        return (
            sum(map(len, self.documents)) >= BATCH_ROWS
            or len(self.rejections) >= BATCH_REJECTIONS
            or self.num_bytes >= BATCH_UNPACKED_BYTES
        )

    def take(self, cursor: str | None) -> Batch:
        import polars as pl

        from schemas.frames import document_frame

        frame = pl.concat(self.documents) if self.documents else document_frame([])
        batch = Batch(keep_last(frame), tuple(self.rejections), cursor, tuple(self.notes))
        self.documents, self.rejections, self.notes, self.num_bytes = [], [], [], 0
        return batch


def read_offline(options: RedditOptions, context: SourceContext, after: str | None) -> Iterator[Batch]:
    """Yields the batches of all files, in the order of their keys: dumps first, then saved pages.

    Raises:
        ConfigError: A path is missing, of another kind, or a folder holds nothing to read.
    """
    files, refused = _find_all(options)
    return _read_files(files, refused, Shaper(options, context.salt), _parse_cursor(after))


def _read_files(
    files: list[FoundFile], refused: list[Rejection], shaper: Shaper, cursor: OfflineCursor | None
) -> Iterator[Batch]:
    pending = _Pending(rejections=[] if cursor else refused)
    position = _find_position(files, cursor)
    for file in files[position:]:
        size = file.path.stat().st_size
        is_resumed = cursor is not None and file.key == cursor.key and size == cursor.size_bytes
        start = Start(cursor.offset, cursor.line) if cursor and is_resumed else Start()
        count = _Count(file.key)
        at = start
        for piece in _read_file(file, shaper, start):
            count.add(piece)
            if piece.documents is not None:
                pending.documents.append(piece.documents)
            pending.rejections += piece.rejections
            if piece.end is not None:
                pending.num_bytes += piece.end.offset - at.offset
                at = piece.end
                if pending.is_full:
                    yield pending.take(_write_cursor(file.key, size, at))
            if count.num_damaged > MAX_DAMAGED_LINES:
                detail = f"more than {MAX_DAMAGED_LINES:,} damaged lines; the rest is not read"
                pending.rejections.append(Rejection(file.key, "too_many_damaged_lines", detail))
                break
        pending.notes.append(count.describe())
        if pending.is_full and file is not files[-1]:
            yield pending.take(_write_cursor(file.key, size, Start(-1, 0)))
    yield pending.take(None)


def _read_file(file: FoundFile, shaper: Shaper, start: Start) -> Iterator[Piece]:
    suffix = file.path.suffix.lower()
    if start.offset < 0:
        return iter(())
    if suffix == ".json":
        from sources.reddit.saved import read_saved

        return read_saved(file, shaper)
    if suffix == ".csv":
        from sources.reddit.table import read_table

        return read_table(file, shaper, start)
    from sources.reddit.dump import read_dump

    return read_dump(file, shaper, start)


@dataclass
class _Count:
    """Figures of one file."""

    key: str
    num_rows: int = 0
    num_unwanted: int = 0
    num_damaged: int = 0

    def add(self, piece: Piece) -> None:
        self.num_rows += piece.num_rows
        self.num_unwanted += piece.num_unwanted
        self.num_damaged += sum(rejection.is_fault for rejection in piece.rejections)

    def describe(self) -> str:
        wanted = self.num_rows - self.num_unwanted
        damaged = f", {self.num_damaged:,} damaged" if self.num_damaged else ""
        return f"{self.key}: {self.num_rows:,} posts and comments, {wanted:,} wanted{damaged}"


def _find_all(options: RedditOptions) -> tuple[list[FoundFile], list[Rejection]]:
    found = find_files(options.dump, DUMP_SUFFIXES, max_bytes=MAX_DUMP_BYTES) if options.dump else []
    if options.saved:
        found += find_files(options.saved, SAVED_SUFFIXES, max_bytes=MAX_SAVED_BYTES)
    files = [entry for _, entry in found if isinstance(entry, FoundFile)]
    return files, [entry for _, entry in found if isinstance(entry, Rejection)]


def _find_position(files: list[FoundFile], cursor: OfflineCursor | None) -> int:
    keys = [file.key for file in files]
    return keys.index(cursor.key) if cursor and cursor.key in keys else 0


def _parse_cursor(after: str | None) -> OfflineCursor | None:
    try:
        return OfflineCursor.model_validate_json(after) if after else None
    except ValidationError:
        return None


def _write_cursor(key: str, size: int, at: Start) -> str:
    return OfflineCursor(key=key, size_bytes=size, offset=at.offset, line=at.line).model_dump_json()
