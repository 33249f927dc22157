"""Forgets what somebody has the right to take back: everywhere in the project, and proves that it is gone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from curator.balance.release import freeze_release
from curator.curate import curate_corpus
from curator.export import export_release
from curator.export.shapes import SHAPES
from curator.forgetting import Mark, find_doomed, find_examples, finish_forgetting, keep_mark
from curator.ingest import hash_key
from curator.journal_erasure import SOURCE, Entries, Meant, find_entries, list_remaining, list_texts
from curator.project import Project, change_project
from schemas.config import ExportConfig
from schemas.errors import ConfigError
from schemas.feedback import JOURNAL
from schemas.identity import hash_author
from warehouse import Warehouse, hold_lock, open_warehouse
from warehouse.erase import find_text

if TYPE_CHECKING:
    import polars as pl

KINDS = ("url", "author", "id", "source")
MARKER_CHARS = (24, 60)
"""Lengths of the pieces of text that the project is searched for: long enough to be nobody else's."""
MAX_MARKERS = 200
CHUNK_BYTES = 1 << 22
_BREAKS = re.compile(r'["\\\n\r]+')
"""A text stands differently in JSON, markdown and the database where it is quoted, escaped or broken: look between."""


@dataclass
class ForgetReport:
    """What was forgotten.

    Attributes:
        documents: Document versions erased.
        examples: Examples and preferences erased.
        events: Events erased from the journal of the service.
        decisions: Decisions of reviewers erased from it.
        releases: Releases that held one of them; they are withdrawn.
        exports: Export folders in the project that were deleted.
        copies: Export folders elsewhere, which only their owner can delete.
        rebuilt: Export folders that were written again from a new release.
        models: Folders of models that were trained on one of them, and files they were deployed as. Weights cannot
            forget: they are marked as withdrawn, and their owner must train again.
        remains: Files or columns in which a piece of the text was still found; empty is the proof.
    """

    documents: int = 0
    examples: int = 0
    events: int = 0
    decisions: int = 0
    releases: list[str] = field(default_factory=list)
    exports: list[str] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    rebuilt: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    remains: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Gives the report as JSON values."""
        return dict(vars(self))


def forget(
    project: Project, kind: str, values: Sequence[str], wait_s: float = 0.0, *, dry_run: bool = False
) -> ForgetReport:
    """Erases documents, what was derived from them, journal entries, snapshots, caches, exports; leaves tombstones.

    A tombstone is a salted hash that keeps the same thing from coming in again. The database is written into a new
    file, since deleted rows stay readable in the old one. Ends with a search of the project folder.

    Args:
        project: The project.
        kind: url, author (a name), id (of a document or example, or a natural key), source.
        values: Which; those that mean nothing here are passed over as long as one does.
        wait_s: How long to wait for the lock, in seconds.
        dry_run: Only count.

    Raises:
        ConfigError: Nothing is meant by it.
        LockedError: Another process works on the project.
    """
    if kind not in KINDS:
        raise ConfigError(f"forget {kind!r}: unknown", f"expected one of {', '.join(KINDS)}")
    with hold_lock(project.lock, "forget", wait_s):
        finish_forgetting(project)
        with open_warehouse(project.database) as warehouse:
            report, mark, texts = _plan(project, warehouse, kind, values)
        if dry_run:
            return report
        keep_mark(project, mark)
        finish_forgetting(project)
        with open_warehouse(project.database) as warehouse:
            report.remains = search_remains(project, warehouse, texts)
            salt = warehouse.read_salt()
        left = find_entries(project.root, Meant(mark.kind, mark.meant, salt, mark.events, mark.examples))
        report.remains += [f"{JOURNAL.name}: event {name}" for name in left.events]
        report.remains += [f"{JOURNAL.name}: decision {number}" for number in left.decisions]
    return report


def resume_forgetting(project: Project, wait_s: float = 0.0) -> bool:
    """Finishes a forgetting that was killed; gives whether there was one.

    Raises:
        LockedError: Another process works on the project.
    """
    with hold_lock(project.lock, "forget --resume", wait_s):
        return finish_forgetting(project)


def forget_deleted(project: Project, natural_keys: Sequence[str], wait_s: float = 0.0) -> ForgetReport | None:
    """Forgets documents that their source has deleted, as its terms ask for; None if none of them is stored."""
    try:
        return forget(project, "id", natural_keys, wait_s)
    except ConfigError:
        return None


def rebuild_exports(project: Project, report: ForgetReport, wait_s: float = 0.0) -> None:
    """Freezes a new release and writes the formats that were deleted again, without the forgotten rows."""
    formats = sorted({Path(path).name.split("-")[0] for path in report.exports} & set(SHAPES))
    if not formats:
        return
    with change_project(project, "forget --rebuild", wait_s) as (warehouse, summary):
        curate_corpus(project, warehouse)
        summary["release"] = freeze_release(project, warehouse).release_id
        for name in formats:
            config = ExportConfig.model_validate({**project.config.export.model_dump(), "format": name})
            report.rebuilt.append(str(export_release(project, warehouse, config).path))


def search_remains(project: Project, warehouse: Warehouse, texts: Sequence[str]) -> list[str]:
    """Gives the places in the project where a piece of the erased text still stands; none is the proof.

    Every file is searched as bytes, and every text column of the database as decoded values. A piece that other
    documents hold as well (a quote, boilerplate) is no trace of the erased one and is not looked for.
    """
    markers = _pick_markers(texts)
    others = [row[0] for row in warehouse.connection.execute("select content from document").fetchall()]
    others += list_remaining(project.root)
    unique = [marker for marker in markers if not any(marker in text for text in others)]
    if not unique:
        return []
    found = [f"{project.database.name}: {place}" for place in find_text(warehouse, unique)]
    needles = [piece for marker in unique for piece in _spellings(marker)]
    files = [path for path in sorted(project.root.rglob("*")) if path.is_file() and not path.is_symlink()]
    return found + [str(path.relative_to(project.root)) for path in files if _holds(path, needles)]


def _plan(
    project: Project, warehouse: Warehouse, kind: str, values: Sequence[str]
) -> tuple[ForgetReport, Mark, list[str]]:
    """Gives the report, what finishing must know, and the texts to search for afterwards; changes nothing."""
    salt = warehouse.read_salt()
    meant = [hash_author(value, salt) if kind == "author" else value for value in values]
    named = "document" if kind == "id" else kind
    doomed = find_doomed(warehouse, named, meant)
    examples = find_examples(warehouse, doomed)
    stored = doomed.filter(doomed["source"] == SOURCE)["natural_key"].to_list()
    entries = find_entries(project.root, Meant(named, meant, salt, stored, examples["id"].to_list()))
    if not doomed.height and not entries.events:
        what = ", ".join(repr(value) for value in values[:3])
        raise ConfigError(
            f"forget {kind} {what}: nothing in this project is meant by it", "curator why finds ids; name one in full"
        )
    with warehouse.lend({"doomed_examples": examples.select("id")}):
        exports = warehouse.read("touched_exports")["path"].to_list()
        releases = warehouse.read("touched_releases")["release_id"].to_list()
        models = warehouse.read("touched_adapters").select("path", "deployments").rows()
    inside = [path for path in exports if Path(path).is_relative_to(project.root)]
    report = ForgetReport(
        documents=doomed.height,
        examples=examples.height,
        events=len(entries.events),
        decisions=len(entries.decisions),
        releases=releases,
        exports=inside,
        copies=[path for path in exports if path not in inside],
        models=[place for path, deployments in models for place in (path, *(deployments or []))],
    )
    mark = Mark(
        kind=named,
        meant=meant,
        examples=examples["id"].to_list(),
        releases=releases,
        exports=inside,
        tombstones=_make_tombstones(salt, kind, meant, doomed, entries),
        events=entries.events,
    )
    written = examples["written"].drop_nulls().to_list()
    return report, mark, [*_read_texts(doomed), *written, *entries.texts]


def _read_texts(doomed: "pl.DataFrame") -> list[str]:
    texts: list[str] = []
    for source, content in doomed.select("source", "content").iter_rows():
        texts += list_texts(content) if source == SOURCE else [content]
    return texts


def _make_tombstones(
    salt: bytes, kind: str, meant: Sequence[str], doomed: "pl.DataFrame", entries: Entries
) -> list[tuple[str, str, str]]:
    keys = {("document", f"{s}\n{k}") for s, k in doomed.select("source", "natural_key").iter_rows()}
    keys |= {("document", f"{SOURCE}\n{event}") for event in entries.events}
    if kind != "id":
        keys |= {(kind, value) for value in meant}
    now = datetime.now(UTC).isoformat()
    return [(hash_key(salt, name, key), name, now) for name, key in sorted(keys)]


def _pick_markers(texts: Sequence[str]) -> list[str]:
    """Gives pieces of each erased text: the beginnings and ends of its longest stretches between quotes and lines."""
    shortest, longest = MARKER_CHARS
    markers: set[str] = set()
    for text in texts:
        stretches = [part.strip() for part in _BREAKS.split(text) if len(part.strip()) >= shortest]
        for stretch in sorted(stretches, key=len, reverse=True)[:4]:
            markers |= {stretch[:longest], stretch[-longest:]}
    return sorted(markers)[:MAX_MARKERS]


def _spellings(marker: str) -> list[bytes]:
    """Gives a text as it stands in a file: as it is, and as JSON writes it."""
    return [marker.encode(), orjson.dumps(marker)[1:-1]]


def _holds(path: Path, needles: list[bytes]) -> bool:
    overlap = max(len(needle) for needle in needles)
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            data = tail + chunk
            if any(needle in data for needle in needles):
                return True
            tail = data[-overlap:]
    return False
