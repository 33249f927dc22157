"""The figures of a corpus, read from a snapshot."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curator.forgetting import read_mark
from curator.project import Project
from schemas.errors import WarehouseError
from warehouse import Warehouse, open_snapshot, read_owner


@dataclass(frozen=True)
class Statistics:
    """What is in the corpus.

    Attributes:
        funnel: documents, refused_input, examples, preferences, rejected, duplicates, kept, categorised, released.
        rejected: Rows of `stage`, `reason`, `rows`.
        flags: The same for flags and notes on kept rows.
        mix: Rows of `category`, `target_share`, `kept`, `kept_share`, `released`, `released_share` (shares 0-1).
        sources: Rows of `source`, `documents`, `examples`, `kept`, `kept_tokens`, `refused_input`.
        splits: Rows of the last release by split.
    """

    funnel: dict[str, int]
    rejected: list[dict[str, Any]]
    flags: list[dict[str, Any]]
    mix: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    splits: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Gives the figures as JSON values."""
        return dict(vars(self))


def read_statistics(snapshot: Warehouse) -> Statistics:
    """Reads the figures from an open snapshot."""
    return Statistics(
        funnel={key: int(value) for key, value in snapshot.read("funnel").row(0, named=True).items()},
        rejected=snapshot.read("rejected_counts").to_dicts(),
        flags=snapshot.read("flag_counts").to_dicts(),
        mix=snapshot.read("mix").to_dicts(),
        sources=snapshot.read("source_counts").to_dicts(),
        splits={str(split): int(rows) for split, rows in snapshot.read("split_counts").iter_rows()},
    )


def count_uncurated(snapshot: Warehouse) -> int:
    """Gives the documents that curate has not read yet; none where the snapshot is of a version that did not count."""
    if "uncurated" not in snapshot.read("snapshot_columns")["table_name"].to_list():
        return 0
    return int(snapshot.read_value("snapshot_uncurated"))


def explain_uncurated(documents: int) -> str:
    """Gives the line that says what waits for curate, or nothing where nothing does."""
    return f"{_count(documents, 'document')} not curated yet; run `curator curate`" if documents else ""


def describe_barren(snapshot: Warehouse) -> list[str]:
    """Gives a line for each source (for files: the folder or the dataset) of which no example is kept."""
    lines = []
    for row in snapshot.read("barren_inputs").iter_rows(named=True):
        name = ", ".join(part for part in (row["source"], row["root"]) if part)
        made = f"{_count(row['examples'], 'example')}, none is kept" if row["examples"] else "no example"
        found = f"{_count(row['documents'], 'document')} gave {made}"
        reasons = f" ({', '.join(row['reasons'])})" if row["reasons"] else ""
        lines.append(f"{name}: {found}{reasons}: curator sql --saved barren")
    return lines


def read_status(project: Project) -> dict[str, Any]:
    """Gives the state of a project as label and value; also of one that has no data yet."""
    status: dict[str, Any] = {"project": str(project.root), "pack": project.pack.name}
    status["database"] = _describe_file(project.database)
    status["working now"] = read_owner(project.lock) or "nobody"
    if read_mark(project):
        status["forgetting"] = "not finished, bytes of it may be left: curator forget --resume"
    try:
        with open_snapshot(project.snapshots) as snapshot:
            status["snapshot"] = _describe_file(snapshot.path)
            status |= read_statistics(snapshot).funnel
            status["waiting"] = explain_uncurated(count_uncurated(snapshot)) or "nothing"
            releases = snapshot.read("snapshot_releases")
            status["releases"] = releases.height
            status["last release"] = releases["id"][0] if releases.height else "none"
    except WarehouseError as error:
        status["snapshot"] = error.hint or error.message
    return status


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _describe_file(path: Path) -> str:
    return f"{path} ({path.stat().st_size / 1e6:.1f} MB)" if path.exists() else f"{path} (none yet)"
