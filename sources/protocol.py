"""What a connector is: an object that reads documents in batches and can go on where it stopped."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from pydantic import BaseModel

from schemas.document import DOCUMENT_COLUMNS
from schemas.frames import check_frame, document_frame
from schemas.pack import Pack

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Rejection:
    """One piece of input that could not become a document.

    Attributes:
        where: File and line, item id or URL; never document text.
        reason: A short stable word such as `broken_json`, `invalid_utf8`, `truncated_zstd`.
        detail: What was found and what was expected, in one line.
        is_fault: True for damaged input (the run ends with exit code 3), False for input that is well-formed and
            not wanted (deleted, private, filtered).
    """

    where: str
    reason: str
    detail: str = ""
    is_fault: bool = True


@dataclass(frozen=True)
class Batch:
    """Documents that are written in one transaction together with the cursor.

    Attributes:
        documents: Frame with `DOCUMENT_COLUMNS`; may be empty.
        rejections: What was refused while this batch was read.
        cursor: Where to go on after this batch; opaque to everyone but the connector. None on the last batch means
            finished: the next run starts from the beginning (ids make that harmless).
        notes: Lines for the user, such as `comments seen 180 / 240`.
    """

    documents: "pl.DataFrame"
    rejections: tuple[Rejection, ...] = ()
    cursor: str | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        rows: "list[dict[str, object]]",
        rejections: tuple[Rejection, ...] = (),
        cursor: str | None = None,
        notes: tuple[str, ...] = (),
    ) -> "Batch":
        """Builds a batch from rows (dicts with the keys of `DOCUMENT_COLUMNS`)."""
        frame = document_frame(rows)
        check_frame(frame, DOCUMENT_COLUMNS, "batch")
        return cls(frame, rejections, cursor, notes)


@dataclass(frozen=True)
class SourceContext:
    """What a connector may know of the project; it never sees the database.

    Attributes:
        root: The project folder; relative paths in options are resolved by the shell before.
        pack: The project's domain.
        salt: For `schemas.identity.hash_author`.
        seed: Seed of everything random.
        now: The one instant that all documents of this run carry as `fetched_at` where the source has none.
        environment: Environment variables (credentials come from here and are never stored).
        stored_keys: Gives the natural keys of the current documents of this source (for `--recheck`).
    """

    root: Path
    pack: Pack
    salt: bytes = b"salt of an example, real projects draw their own"
    seed: int = 3407
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    environment: Mapping[str, str] = field(default_factory=dict)
    stored_keys: Callable[[], Iterator[str]] = lambda: iter(())


class Connector(Protocol):
    """Reads one kind of source.

    Registered in entry-point group `curator.sources` under its name. `Options` is a frozen pydantic model with
    `extra="forbid"`; the command line, `[[ingest]]` tables of `curator.toml` and the pack's default sources are
    validated by it.
    """

    name: ClassVar[str]
    Options: ClassVar[type[BaseModel]]

    def __init__(self, options: BaseModel, context: SourceContext) -> None: ...

    def read(self, after: str | None) -> Iterator[Batch]:
        """Yields batches; goes on after the cursor that a batch carried.

        Raises:
            ConfigError: A path, column or setting is wrong (exit code 2), before the first batch.
            SourceInterruptedError: The source stopped; what was yielded stays (exit code 3).
        """
        ...
