"""A project: one folder with `curator.toml`, the database, its snapshots, releases and exports."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curator.settings import CONFIG_NAME, Settings, load_settings
from schemas.config import ProjectConfig
from schemas.errors import ConfigError, WarehouseError
from schemas.identity import dump_canonical
from schemas.pack import Pack
from warehouse import (
    Warehouse,
    distrust_snapshot,
    hold_lock,
    open_warehouse,
    publish_snapshot,
    shows_another_database,
    trust_snapshot,
)

DATABASE_NAME = "curator.db"


@dataclass(frozen=True)
class Project:
    """The folder and the settings in force.

    Attributes:
        root: Absolute path of the folder.
        settings: Settings with their origins.
    """

    root: Path
    settings: Settings

    @property
    def config(self) -> ProjectConfig:
        """The settings."""
        return self.settings.config

    @property
    def pack(self) -> Pack:
        """The domain."""
        return self.settings.pack

    @property
    def database(self) -> Path:
        """The DuckDB file; only the holder of the lock opens it."""
        return self.root / DATABASE_NAME

    @property
    def config_file(self) -> Path:
        """The settings; absent where a project has the defaults."""
        return self.root / CONFIG_NAME

    @property
    def lock(self) -> Path:
        """The write lock."""
        return self.root / ".curator" / "lock"

    @property
    def snapshots(self) -> Path:
        """Folder of the read-only copies."""
        return self.root / ".curator" / "snapshots"

    @property
    def unpublished(self) -> Path:
        """A mark that stands while a command works; found by the next one, it says that a snapshot is owed."""
        return self.root / ".curator" / "unpublished"

    @property
    def releases(self) -> Path:
        """Folder of `<release id>/corpus.lock`."""
        return self.root / "releases"

    @property
    def exports(self) -> Path:
        """Folder of `<release id>/<format>/`."""
        return self.root / "exports"

    def require_data(self) -> None:
        """Refuses a command that would only look, where there is nothing to look at.

        Raises:
            ConfigError: The project has no database yet.
        """
        if not self.database.exists():
            raise ConfigError(f"{self.root}: nothing is ingested yet", "curator ingest, or curator run")


def open_project(root: Path, flags: Mapping[str, Any] | None = None) -> Project:
    """Opens the project in a folder; a folder without `curator.toml` is a project with default settings.

    Raises:
        ConfigError: The folder does not exist or a setting is wrong.
    """
    if not root.is_dir():
        raise ConfigError(f"{root}: no such folder", "curator init DIR makes a project")
    return Project(root.resolve(), load_settings(root.resolve(), flags))


@contextlib.contextmanager
def change_project(
    project: Project, command: str, wait_s: float = 0.0, *, keeps_examples: bool = False
) -> Iterator[tuple[Warehouse, dict[str, Any]]]:
    """Holds the lock, opens the database, and afterwards logs the run and publishes a snapshot.

    Args:
        project: The project.
        command: Its name in the log.
        wait_s: How long to wait for another command.
        keeps_examples: The block writes no example and nothing that is decided about one: documents, exports or models
            alone. Then only what such things show in is published anew. After a block that may write examples, and
            wrote anything at all, nothing is copied until a snapshot has been published.

    Yields:
        The warehouse and a dict that the block fills with the summary of the run. An empty summary means nothing
        changed: then no run is logged and no snapshot published, unless there is none yet, the block raises, an
        earlier command died before it could publish, or the database is not the one that the snapshot was made of.

    Raises:
        LockedError: Another process works on the project.
        WarehouseError: The database cannot be opened or written.
    """
    from curator.forgetting import finish_forgetting

    started = datetime.now(UTC)
    summary: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:
        stack.enter_context(hold_lock(project.lock, command, wait_s))
        # What somebody asked to be forgotten goes before anything else is done.
        finish_forgetting(project)
        warehouse = stack.enter_context(open_warehouse(project.database))
        is_behind = project.unpublished.exists() or shows_another_database(warehouse, project.snapshots)
        must_publish = is_behind or not any(project.snapshots.glob("[0-9]*.db"))
        project.unpublished.touch()
        # While a block may write examples the snapshot is not trusted: killed, it has said nothing of what it wrote.
        was_trusted = (is_behind or not keeps_examples) and distrust_snapshot(project.snapshots)
        before = _describe_files(project)
        must_publish |= keep_targets(warehouse, project)
        try:
            yield warehouse, summary
        except BaseException:
            # Whatever was committed before an error or an interruption must be visible to readers. The next command
            # makes up for it where that fails as well (a full disk): the first error is the one to tell.
            with contextlib.suppress(WarehouseError):
                _publish(project, warehouse, command, started, summary, keeps_examples=keeps_examples)
            raise
        if summary or must_publish:
            _publish(project, warehouse, command, started, summary, keeps_examples=keeps_examples)
        elif was_trusted and before == _describe_files(project):
            trust_snapshot(warehouse, project.snapshots)
        project.unpublished.unlink(missing_ok=True)


def _publish(
    project: Project,
    warehouse: Warehouse,
    command: str,
    started: datetime,
    summary: Mapping[str, Any],
    *,
    keeps_examples: bool,
) -> None:
    if summary:
        ended = datetime.now(UTC)
        warehouse.run("keep_run", started=started, ended=ended, command=command, summary=dump_canonical(summary))
    publish_snapshot(warehouse, project.snapshots, keeps_examples=keeps_examples)
    project.unpublished.unlink(missing_ok=True)


def _describe_files(project: Project) -> list[tuple[int, int]]:
    """Gives size and time of the database and its log: the same again when nothing was committed in between."""
    log = project.database.with_name(f"{DATABASE_NAME}.wal")
    found = [path.stat() for path in (project.database, log) if path.exists()]
    return [(file.st_size, file.st_mtime_ns) for file in found]


def keep_targets(warehouse: Warehouse, project: Project) -> bool:
    """Stores the target mix, so that the views can show it beside what is there; gives whether it has changed."""
    import polars as pl

    targets = find_targets(project)
    rows = [(name, share, place) for place, (name, share) in enumerate(targets.items())]
    schema = {"category": pl.String, "share": pl.Float64, "ordinal": pl.Int32}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    if warehouse.read("targets").equals(frame):
        return False
    with warehouse.transaction():
        warehouse.run("clear_targets")
        warehouse.append("target", frame)
    return True


def find_targets(project: Project) -> dict[str, float]:
    """Gives the target share of each category: the settings' where given, else the pack's.

    Raises:
        ConfigError: The settings name an unknown category or do not add up to 1.
    """
    wanted = dict(project.config.balance.target)
    if not wanted:
        return {category.name: category.target for category in project.pack.categories}
    unknown = sorted(set(wanted) - set(project.pack.category_names))
    if unknown or abs(sum(wanted.values()) - 1) > 1e-6:
        found = f"unknown {unknown}" if unknown else f"shares add up to {sum(wanted.values()):.4f}, expected 1"
        raise ConfigError(f"balance.target: {found}", f"categories: {', '.join(project.pack.category_names)}")
    return {name: wanted[name] for name in project.pack.category_names if name in wanted}
