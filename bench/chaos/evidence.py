"""What is looked at after a disaster: the rows of the database, snapshots, exports, and what lies around."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MOMENTS = ("author_hash",)
"""Columns that differ between two runs of the same work, besides all times: hashes under a salt that was drawn."""
TIMES = ("seconds", "tokens_per_second")
"""What the measures of a trained model hold that differs between two runs as well."""
LOGS = frozenset({"run", "runs", "migration", "meta"})
STRAY = (".tmp", ".curator-tmp-", "unpublished", "forgetting.json", ".wal")


def digest_database(path: Path) -> dict[str, str]:
    """Gives rows and a hash of each table that do not depend on the order of rows, on times or on the salt."""
    import duckdb

    connection = duckdb.connect(str(path), config={"threads": 1})
    try:
        return digest_tables(connection)
    finally:
        connection.close()


def digest_tables(connection: Any) -> dict[str, str]:
    """Gives `rows:hash` by table of an open DuckDB database."""
    columns = connection.execute(
        "select table_name, column_name from duckdb_columns() where schema_name = 'main' and not internal"
        " and database_name = current_database() and data_type not like 'TIMESTAMP%' and table_name in"
        " (select table_name from duckdb_tables() where not temporary and database_name = current_database())"
        " order by table_name, column_index"
    ).fetchall()
    tables: dict[str, list[str]] = {}
    for table, column in columns:
        if table not in LOGS and column not in MOMENTS:
            is_measured = column in {"metrics", "report"}
            tables.setdefault(table, []).append(_strip_times(column) if is_measured else f'"{column}"')
    if not tables:
        return {}
    parts = [
        f"select '{table}', count(*) || ':' || coalesce(sum(hash({', '.join(names)})::hugeint), 0) from \"{table}\""
        for table, names in tables.items()
    ]
    return dict(connection.execute(" union all ".join(parts)).fetchall())


def _strip_times(column: str) -> str:
    named = "|".join(TIMES)
    return f"""regexp_replace("{column}"::varchar, '"({named})":[^,}}]*', '', 'g')"""


def digest_folders(project: Path) -> dict[str, str]:
    """Gives a hash of each thing that is written whole or not at all: exports, locks, deployments and which is current."""
    folders = [*project.glob("exports/*/*"), *project.glob("out/*"), *project.glob("deployments/[0-9a-f]*")]
    found = {
        str(path.relative_to(project)): hash_folder(path) for path in folders if path.is_dir() and path.name[0] != "."
    }
    files = [*project.glob("releases/*/corpus.lock"), *project.glob("deployments/current*.json")]
    return found | {str(path.relative_to(project)): _hash(path) for path in files}


def hash_folder(folder: Path) -> str:
    """Gives a hash of names and bytes of all files in a folder; a record of a deployment counts by its presence."""
    lines = [
        f"{path.relative_to(folder)} {'' if path.name == 'deployment.json' else _hash(path)}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def check_export(folder: Path) -> list[str]:
    """Gives what is wrong with an export folder by its own manifest."""
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
    except (OSError, ValueError) as error:
        return [f"{folder}: {error}"]
    faults = []
    for file in manifest["files"]:
        path = folder / file["path"]
        if not path.is_file():
            faults.append(f"{path}: missing")
        elif _hash(path) != file["sha256"]:
            faults.append(f"{path}: not the bytes of the manifest")
    return faults


def find_strays(project: Path) -> list[str]:
    """Gives temporaries and marks that a command which ended well must not leave."""
    return sorted(
        str(path.relative_to(project))
        for path in project.rglob("*")
        if any(word in path.name for word in STRAY) and not path.name.startswith("journal.db")
    )


def check_snapshot(folder: Path) -> list[str]:
    """Gives what is contradictory in the newest snapshot: a reader must never see half of anything."""
    if not any(folder.glob("[0-9]*.db")):
        return []
    with _open(folder) as connection:
        return check_views(connection)


def check_views(connection: Any) -> list[str]:
    """Gives the invariants that an open snapshot breaks."""
    faults = [
        f"{name}: {found}"
        for name, query in INVARIANTS.items()
        if (found := connection.execute(query).fetchall()) and found != [(0,)]
    ]
    for release, members, report in connection.execute(
        "select id, (select count(*) from release_members where release_id = releases.id), report from releases"
        " where not is_withdrawn"
    ).fetchall():
        told = json.loads(report)
        size = sum(split["size"] for split in told["splits"].values()) + sum(told["preferences"].values())
        if size != members:
            faults.append(f"release {release}: {members} members, its report says {size}")
    return faults


def digest_snapshot(folder: Path) -> dict[str, str]:
    """Gives `digest_tables` of the newest snapshot."""
    with _open(folder) as connection:
        return digest_tables(connection)


INVARIANTS = {
    "rows twice in corpus": "select count(*) - count(distinct id) from corpus",
    "a row of the corpus that a stage rejected": (
        "select count(*) from corpus join verdicts on verdicts.subject_id = corpus.id"
        " where not verdicts.is_kept and verdicts.stage in ('screen', 'review', 'dedup', 'split')"
    ),
    "the mix counts other rows than the corpus": (
        "select (select coalesce(sum(kept), 0) from mix)"
        " - (select count(*) from corpus where category in (select category from targets))"
    ),
    "the sources count other rows than the corpus": (
        "select (select coalesce(sum(kept), 0) from sources) - (select count(*) from corpus)"
    ),
    "two rows of the corpus with one text": (
        "select count(*) - count(distinct (prompt, answer)) from corpus where source <> 'feedback'"
    ),
    "a member of a release without an example": (
        "select count(*) from release_members join releases on releases.id = release_id"
        " where not is_withdrawn and example_id not in (select id from examples)"
    ),
    "a member in another split than the corpus says": (
        "select count(*) from release_members join corpus on corpus.id = example_id"
        " where corpus.split is distinct from release_members.split"
    ),
    "a row of the corpus that dedup has not compared": (
        "select count(*) from corpus where id not in (select example_id from text_hashes)"
    ),
    "an export of an unknown release": (
        "select count(*) from exports where release_id not in (select id from releases)"
    ),
}
"""Each gives 0, or no rows, whenever a snapshot is whole."""


@contextmanager
def _open(folder: Path) -> Iterator[Any]:
    from warehouse import open_snapshot

    with open_snapshot(folder) as snapshot:
        snapshot.connection.execute("set threads = 1")
        yield snapshot.connection


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
