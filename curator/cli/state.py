"""What every command knows: the project folder and how to talk."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from curator.project import Project
    from warehouse import Warehouse

Json = Annotated[bool, typer.Option("--json", help="Write the report as JSON to stdout.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")]
Wait = Annotated[float, typer.Option("--wait", metavar="SECONDS", help="How long to wait for another command.")]


@dataclass(frozen=True)
class State:
    """Global options.

    Attributes:
        folder: The project folder.
        debug: Show tracebacks.
        quiet: Only data and errors.
    """

    folder: Path
    debug: bool = False
    quiet: bool = False

    def open(self, flags: Mapping[str, Any] | None = None) -> "Project":
        """Opens the project with settings given as flags (None values count as absent)."""
        from curator.project import open_project

        return open_project(self.folder, _drop_none(flags or {}))

    @contextlib.contextmanager
    def read(self, project: "Project") -> "Iterator[Warehouse]":
        """Opens the newest snapshot of a project."""
        from schemas.errors import ConfigError
        from warehouse import open_snapshot

        if not project.config_file.exists() and not project.database.exists():
            hint = "cd into a project or name one: curator -C FOLDER; curator init DIR makes one"
            raise ConfigError(f"{project.root}: no project (no curator.toml)", hint)
        with open_snapshot(project.snapshots) as snapshot:
            yield snapshot


def _drop_none(values: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in values.items():
        found = _drop_none(value) if isinstance(value, Mapping) else value
        if found is not None and found != {}:
            kept[key] = found
    return kept
