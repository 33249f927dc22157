"""Publishes read-only copies of the database that readers may open while the writer works.

A snapshot holds only what may be shared: no document text, no author hashes, and example text only as screened.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from schemas.errors import WarehouseError
from warehouse.connection import STORAGE_VERSION, connect, translate_errors
from warehouse.store import Warehouse

HERE = Path(__file__).parent / "snapshot_sql"
KEEP = 2


def publish_snapshot(warehouse: Warehouse, folder: Path, *, keeps_examples: bool = False) -> Path:
    """Writes the next snapshot: a new file, fsync, rename; readers of older ones are not disturbed.

    Args:
        warehouse: The open database; the caller holds the lock.
        folder: Where snapshots live; temporaries that a killed run left there are swept.
        keeps_examples: Since the newest snapshot nothing was written that its tables of examples
            (`snapshot_sql/examples`) are made of. They are most of the work, and are copied then from a snapshot that is
            trusted (`trust_snapshot`).

    Returns:
        The path of the new snapshot, `NNNNNN.db`.

    Raises:
        WarehouseError: The disk refuses; the older snapshot stays.
    """
    with translate_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        sweep_temporaries(folder)
        existing = list_snapshots(folder)
        number = int(existing[-1].stem) + 1 if existing else 1
        final = folder / f"{number:06d}.db"
        temporary = folder / f"{final.name}.tmp"
        is_copy = keeps_examples and bool(existing) and _copy_newest(existing[-1], temporary)
        _write_tables(warehouse, temporary, ["tables"] if is_copy else ["tables", "examples"])
        _write_views(temporary)
        _sync(temporary)
        temporary.replace(final)
        _sync(folder)
        trust_snapshot(warehouse, folder)
        for old in existing[: max(0, len(existing) + 1 - KEEP)]:
            old.unlink(missing_ok=True)
    return final


@contextlib.contextmanager
def open_snapshot(folder: Path) -> Iterator[Warehouse]:
    """Opens the newest snapshot for reading; a writer at work neither blocks it nor is blocked.

    Raises:
        WarehouseError: There is none yet, or it is damaged.
    """
    path = find_snapshot(folder)
    connection = connect(path, read_only=True)
    try:
        yield Warehouse(connection, path)
    finally:
        connection.close()


def list_snapshots(folder: Path) -> list[Path]:
    """Gives the snapshots of a folder, the oldest first."""
    return sorted(folder.glob("[0-9]*.db"))


def find_snapshot(folder: Path) -> Path:
    """Gives the newest snapshot.

    Raises:
        WarehouseError: There is none yet.
    """
    snapshots = list_snapshots(folder)
    if not snapshots:
        raise WarehouseError(f"{folder}: no snapshot yet", "curator ingest, then curator curate, publish one")
    return snapshots[-1]


def sweep_temporaries(folder: Path) -> None:
    """Removes what a killed run left behind."""
    for path in folder.glob("*.tmp*"):
        path.unlink(missing_ok=True)


def list_views() -> dict[str, str]:
    """Gives the tables and views for exploring with the first lines that explain them."""
    files = sorted(HERE.glob("*/*.sql"), key=lambda path: (path.parent.name != "views", path.name))
    return {path.stem.split("_", 1)[1]: _read_comment(path) for path in files}


def trust_snapshot(warehouse: Warehouse, folder: Path) -> None:
    """Notes that the newest snapshot shows what the database holds: its tables of examples may be copied into the next."""
    newest = find_snapshot(folder)
    seal = {**_describe(newest), "database": _describe_database(warehouse), "digest": _digest(newest)}
    _seal_path(folder).write_text(json.dumps(seal, indent=1), encoding="utf-8")


def distrust_snapshot(folder: Path) -> bool:
    """Takes that back; gives whether it held."""
    is_trusted = _is_trusted(folder)
    _seal_path(folder).unlink(missing_ok=True)
    return is_trusted


def shows_another_database(warehouse: Warehouse, folder: Path) -> bool:
    """Whether the newest snapshot is one of another file, or of a later one: somebody put a copy back, or began anew.

    To be asked before anything is written.
    """
    seal = _read_seal(folder)
    return bool(seal) and seal["database"] != _describe_database(warehouse)


def _seal_path(folder: Path) -> Path:
    # A file, not a row: the database is not written for it, so a kill finds no more of it half written.
    return folder.with_name(f"{folder.name}.seal.json")


def _read_seal(folder: Path) -> dict[str, str]:
    try:
        seal = json.loads(_seal_path(folder).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    names = {"snapshot", "made_by", "database", "digest"}
    return seal if isinstance(seal, dict) and seal.keys() == names else {}


def _is_trusted(folder: Path) -> bool:
    seal, newest = _read_seal(folder), list_snapshots(folder)[-1:]
    return bool(seal and newest) and _describe(newest[0]).items() <= seal.items()


def _copy_newest(newest: Path, target: Path) -> bool:
    """Copies the newest snapshot if it is trusted and, byte by byte, the one that was written."""
    if not _is_trusted(newest.parent):
        return False
    shutil.copyfile(newest, target)
    if _digest(target) == _read_seal(newest.parent)["digest"]:
        return True
    target.unlink()
    return False


def _describe(snapshot: Path) -> dict[str, str]:
    """Gives which file a snapshot is, and a hash of what made it: our views and migrations among that."""
    import duckdb

    made_by = hashlib.sha256(f"{duckdb.__version__} {STORAGE_VERSION}".encode())
    for folder in (HERE, HERE.parent / "views", HERE.parent / "migrations"):
        for file in sorted(folder.rglob("*.sql")):
            made_by.update(file.read_bytes())
    found = snapshot.stat()
    return {"snapshot": f"{snapshot.name} {found.st_size} {found.st_mtime_ns}", "made_by": made_by.hexdigest()}


def _describe_database(warehouse: Warehouse) -> str:
    """Gives which database it is, and how many commands have changed it: hashed, since its salt is secret."""
    num_runs, ended_us = warehouse.read("run_state").row(0)
    return hashlib.sha256(f"{warehouse.read_salt().hex()} {num_runs} {ended_us}".encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


def _write_tables(warehouse: Warehouse, path: Path, folders: list[str]) -> None:
    """Writes the tables of the folders in the order of their numbers, in the place of those that are there."""
    connection = warehouse.connection
    quoted = str(path).replace("'", "''")
    connection.execute(f"attach '{quoted}' as snapshot (storage_version '{STORAGE_VERSION}')")
    # Joins are written with the texts on the left, where they flow by. Left to itself DuckDB takes the views for small and
    # builds its hash tables of the texts: a million rows then need more memory than there is, and a third more time.
    connection.execute("set disabled_optimizers = 'join_order,build_side_probe_side'")
    try:
        for file in sorted(
            (file for name in folders for file in (HERE / name).glob("*.sql")), key=lambda file: file.name
        ):
            connection.execute(file.read_text(encoding="utf-8"))
    finally:
        with contextlib.suppress(Exception):
            connection.execute("reset disabled_optimizers")
            connection.execute("detach snapshot")


def _write_views(path: Path) -> None:
    connection = connect(path)
    try:
        for file in sorted((HERE / "views").glob("*.sql")):
            connection.execute(file.read_text(encoding="utf-8"))
        connection.execute("checkpoint")
    finally:
        connection.close()


def _read_comment(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    comment = [line[2:].strip() for line in lines if line.startswith("--")]
    return " ".join(comment).removeprefix("Grain: ")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise WarehouseError(f"{path}: {error.strerror}", "") from error
    finally:
        os.close(descriptor)
