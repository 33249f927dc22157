"""The lasting half of forgetting: erasing rows, writing the database anew, clearing files. A kill cannot stop it for good.

Before anything is erased a mark is written; it goes when everything is done. Whoever finds it (the next command that
changes something, or `forget --resume`) does the rest, and every step can be done twice.
"""

import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from curator.atomic import remove_folder, write_file
from curator.journal_erasure import Meant, erase_entries
from curator.project import Project
from schemas.frames import make_frame
from warehouse import Warehouse, open_warehouse, publish_snapshot
from warehouse.erase import compact_database, erase_rows
from warehouse.snapshot import list_snapshots

if TYPE_CHECKING:
    import polars as pl

TOMBSTONE_COLUMNS = ("key_hash", "kind", "made_at")


@dataclass(frozen=True)
class Mark:
    """What is being forgotten, as far as finishing it needs to know; names of authors are hashes.

    Attributes:
        kind: As `find_forgotten` takes it: url, author, document, source.
        meant: Which.
        examples: Ids of the examples that go.
        releases: Releases that held one of them.
        exports: Folders in the project to delete.
        tombstones: Rows of the table `tombstone`.
        events: Ids of events in the journal of the service.
    """

    kind: str
    meant: list[str]
    examples: list[str]
    releases: list[str]
    exports: list[str]
    tombstones: list[tuple[str, str, str]]
    events: list[str] = field(default_factory=list)


def keep_mark(project: Project, mark: Mark) -> None:
    """Writes the mark so that it outlives a power cut."""
    write_file(_mark_path(project), orjson.dumps(asdict(mark)))


def read_mark(project: Project) -> Mark | None:
    """Gives the mark of a forgetting that was not finished; None: there is nothing to finish."""
    try:
        return Mark(**orjson.loads(_mark_path(project).read_bytes()))
    except FileNotFoundError:
        return None


def find_doomed(warehouse: Warehouse, kind: str, meant: Iterable[str]) -> "pl.DataFrame":
    """Gives the stored document versions that a request means; none once they are erased."""
    import polars as pl

    found = [warehouse.read("find_forgotten", kind=kind, value=value) for value in meant]
    return pl.concat(found).unique("id").sort("id")


def find_examples(warehouse: Warehouse, doomed: "pl.DataFrame") -> "pl.DataFrame":
    """Gives the examples (`id`, `written`) that hold text of documents; `written` is what a person made of them."""
    with warehouse.lend({"doomed": doomed.select("id")}):
        return warehouse.read("forgotten_examples")


def finish_forgetting(project: Project) -> bool:
    """Does whatever a marked forgetting has left to do; the caller holds the lock, the database is closed.

    Returns:
        Whether there was anything to finish.
    """
    mark = read_mark(project)
    if mark is None:
        return False
    with open_warehouse(project.database) as warehouse:
        _erase(warehouse, mark)
    # Deleted rows stay readable in the old file.
    compact_database(project.database)
    _clear_files(project, mark)
    _rewrite_locks(project, mark)
    with open_warehouse(project.database) as warehouse:
        salt = warehouse.read_salt()
        # The new one first: readers must always find one.
        newest = publish_snapshot(warehouse, project.snapshots)
        for old in list_snapshots(project.snapshots):
            if old != newest:
                old.unlink(missing_ok=True)
    # Last, because a busy service may refuse it: everything else is done by then.
    erase_entries(project.root, Meant(mark.kind, mark.meant, salt, mark.events, mark.examples))
    _mark_path(project).unlink()
    return True


def _mark_path(project: Project) -> Path:
    return project.root / ".curator" / "forgetting.json"


def _erase(warehouse: Warehouse, mark: Mark) -> None:
    doomed = find_doomed(warehouse, mark.kind, mark.meant)
    known = set(warehouse.read("tombstones")["key_hash"].to_list())
    rows = [dict(zip(TOMBSTONE_COLUMNS, row, strict=True)) for row in mark.tombstones if row[0] not in known]
    tombstones = make_frame(rows, dict.fromkeys(TOMBSTONE_COLUMNS, "text"))
    with warehouse.transaction():
        if doomed.height:
            erase_rows(warehouse, doomed, find_examples(warehouse, doomed).select("id"))
        warehouse.append("tombstone", tombstones)


def _clear_files(project: Project, mark: Mark) -> None:
    """Deletes exports of withdrawn releases, caches, what engines left behind, and the history of the SQL shell."""
    # With those that were written and, for a kill, never put on record.
    unknown = [path for release in mark.releases for path in (project.exports / release).glob("*/")]
    for path in [*map(Path, mark.exports), *unknown]:
        if path.is_relative_to(project.root):
            remove_folder(path)
    for release in mark.releases:
        shutil.rmtree(project.exports / release, ignore_errors=True)
    for name in ("cache", "scale"):
        shutil.rmtree(project.root / ".curator" / name, ignore_errors=True)
    (project.root / ".curator" / "sql_history").unlink(missing_ok=True)


def _rewrite_locks(project: Project, mark: Mark) -> None:
    """Puts tombstones in place of the forgotten members in the locks of withdrawn releases."""
    gone, hashes = set(mark.examples), [row[0] for row in mark.tombstones]
    for release in mark.releases:
        path = project.releases / release / "corpus.lock"
        if not path.exists():
            continue
        lock = orjson.loads(path.read_bytes())
        lock["members"] = [row for row in lock["members"] if row[0] not in gone]
        lock["tombstones"] = sorted({*lock.get("tombstones", []), *hashes})
        lock["is_withdrawn"] = True
        write_file(path, orjson.dumps(lock, option=orjson.OPT_INDENT_2))
