"""Checks a project from the outside: pack, settings, database, machine."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from curator.forgetting import read_mark
from curator.project import Project, open_project
from schemas.errors import CuratorError, LockedError
from schemas.pack import Pack
from sources.packs.loader import pack_path


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: What it is.
        detail: What was found, and what to do.
        is_problem: Whether it must be mended.
    """

    what: str
    detail: str
    is_problem: bool = False


def examine(folder: Path) -> list[Finding]:
    """Looks at everything and goes on after a problem."""
    try:
        project = open_project(folder)
    except CuratorError as error:
        return [Finding("settings", f"{error.message} → {error.hint}", is_problem=True)]
    found = [Finding("settings", f"{project.root / 'curator.toml'}, pack {project.pack.name}")]
    return [*found, *_examine_pack(project.pack), *_examine_database(project), *_examine_machine(project)]


def _examine_pack(pack: Pack) -> Iterator[Finding]:
    from curator.categorise.lexicon import load_lexicon

    for name in (pack.knowledge, pack.lexicon, pack.questions, pack.evaluation, *pack.rules):
        if name is None:
            continue
        try:
            pack_path(pack, name)
        except CuratorError as error:
            yield Finding(f"pack {pack.name}", error.message, is_problem=True)
    try:
        yield Finding("lexicon", f"{len(load_lexicon(pack)):,} terms")
        if pack.rules:
            yield from _examine_rules(pack)
    except CuratorError as error:
        yield Finding("pack", f"{error.message} → {error.hint}", is_problem=True)


def _examine_rules(pack: Pack) -> Iterator[Finding]:
    from sources.synthetic import check_rules

    found = check_rules(pack)
    for finding in found:
        yield Finding("rules", str(finding), is_problem=True)
    if not found:
        yield Finding("rules", "no contradiction and no uncovered region found")


def _examine_database(project: Project) -> Iterator[Finding]:
    from warehouse import hold_lock, open_snapshot
    from warehouse.connection import connect

    if not project.database.exists():
        yield Finding("database", "none yet; curator ingest makes it")
        return
    if read_mark(project):
        yield Finding("forgetting", "killed before it was done → curator forget --resume", is_problem=True)
    try:
        with hold_lock(project.lock, "doctor"):
            connect(project.database, read_only=True).close()
        yield Finding("database", str(project.database))
    except LockedError as error:
        yield Finding("database", error.message)
    except CuratorError as error:
        yield Finding("database", f"{error.message} → {error.hint}", is_problem=True)
    try:
        with open_snapshot(project.snapshots) as snapshot:
            documents = snapshot.read("funnel")["documents"][0]
        yield Finding("snapshot", f"{documents:,} documents")
    except CuratorError as error:
        yield Finding("snapshot", f"{error.message} → {error.hint}", is_problem=True)


def _examine_machine(project: Project) -> Iterator[Finding]:
    import os
    import shutil

    free = shutil.disk_usage(project.root).free
    yield Finding("disk", f"{free / 1e9:.1f} GB free", is_problem=free < 1e9)
    yield Finding("cores", str(os.cpu_count()))
