"""A rebuilt release as files with their hashes, and what a person is told of it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from curator.cli.output import print_table, say
from curator.export import export_release
from curator.project import Project
from curator.rebuild import RebuildReport
from warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_NAMED = 5


def export_rebuilt(project: Project, warehouse: Warehouse, report: RebuildReport, into: Path | None) -> None:
    """Exports the release that was rebuilt and keeps folder and hashes in the report.

    Raises:
        ConfigError: The folder holds something else.
        ExportError: A row cannot be exported, or the disk refuses.
    """
    export = export_release(project, warehouse, project.config.export, report.release_id, into)
    manifest = json.loads((export.path / "manifest.json").read_bytes())
    report.path = str(export.path)
    report.files = {file["path"]: file["sha256"] for file in manifest["files"]}


def show_rebuild(report: RebuildReport) -> None:
    """Shows what was rebuilt, what is missing, and the files with their hashes."""
    if report.is_same:
        say(f"release {report.release_id}: {report.members:,} members, all that its lock names")
    else:
        say(
            f"release {report.release_id} (new): {report.members:,} members; {len(report.missing):,} that the lock of "
            f"{report.lock_release} names are not here any more: {_name_some(report.missing)}"
        )
    say(f"  {report.path}")
    print_table("", ["file", "sha256"], [[name, digest] for name, digest in report.files.items()])


def _name_some(ids: "Sequence[str]") -> str:
    more = f" and {len(ids) - MAX_NAMED:,} more" if len(ids) > MAX_NAMED else ""
    return ", ".join(row_id[:12] for row_id in ids[:MAX_NAMED]) + more
