"""Rebuilds a release from its lock: the same members give the same bytes; without what was forgotten it is a new one."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.balance.release import find_unit_pairs, make_release_id, name_members, write_lock
from curator.balance.verify import find_leaks
from curator.curate import curate_corpus
from curator.fingerprint import fingerprint_pack, fingerprint_stage
from curator.project import Project
from curator.screen import screen_examples
from schemas.config import ScreenConfig
from schemas.errors import ConfigError, ExportError
from schemas.identity import dump_canonical
from warehouse import Warehouse

if TYPE_CHECKING:
    import polars as pl

MEMBER_COLUMNS = ("example_id", "split", "category", "unit_id")
LOCK_ONLY = ("release", "members", "tombstones", "is_withdrawn")
"""What the file holds beside what the release's id is a hash of."""


@dataclass
class RebuildReport:
    """What a rebuild gave.

    Attributes:
        lock_release: The release that the lock is of.
        release_id: The release that was built; another one where members are missing.
        members: Its members.
        missing: Members of the lock that are no longer there (forgotten, or never ingested here).
        files: Exported files with their sha256.
        path: The export's folder.
    """

    lock_release: str
    release_id: str
    members: int
    missing: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    path: str = ""

    @property
    def is_same(self) -> bool:
        """Whether it is the very release of the lock."""
        return self.release_id == self.lock_release

    def as_dict(self) -> dict[str, Any]:
        """Gives the report as JSON values."""
        return {**vars(self), "is_same": self.is_same}


def read_lock(project: Project, name: str) -> dict[str, Any]:
    """Reads a lock by its path, or by the id of a release of the project or the beginning of it.

    Raises:
        ConfigError: There is none, several begin so, or the file is no lock.
    """
    path = Path(name)
    if not path.is_file():
        found = sorted(project.releases.glob(f"{name}*/corpus.lock")) if name.isalnum() else []
        if len(found) != 1:
            what = "more than one release starts so" if found else "no such file or release"
            raise ConfigError(f"{name}: {what}", "curator releases list, or name a corpus.lock")
        path = found[0]
    try:
        lock: dict[str, Any] = json.loads(path.read_bytes())
        list(lock["release"]), lock["stages"]["screen"], lock["config"]["screen"], [row[2] for row in lock["members"]]
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ConfigError(
            f"{path}: no lock of a release", "expected a corpus.lock that curator balance wrote"
        ) from error
    return lock


def rebuild_release(project: Project, warehouse: Warehouse, lock: dict[str, Any]) -> RebuildReport:
    """Brings back the release of a lock, as far as its members are there; never moves a row to another split.

    Args:
        project: Gives the pack, which must be the one of the lock.
        warehouse: The open database; what the lock needs may be ingested only, or long since have other settings.
        lock: What `read_lock` gave.

    Raises:
        ConfigError: Another pack or version of curator made it, somebody changed it, none of its members is there, or one
            is dealt otherwise.
        ExportError: The rows that are left leak across splits.
    """
    _check_pack(project, lock)
    members = _list_members(lock)
    if not lock.get("tombstones") and name_members(members.sort("example_id")) != lock["members_id"]:
        raise ConfigError(
            f"release {lock['release']}: its members are not those that it was frozen with", "take the lock from a copy"
        )
    present = _find_present(warehouse, members)
    if present.height < members.height:
        curate_corpus(project, warehouse)
        present = _find_present(warehouse, members)
    if not present.height:
        raise ConfigError(
            f"release {lock['release']}: none of its {members.height} members is in this project",
            "ingest what it was made of, then rebuild again",
        )
    fingerprint = lock["stages"]["screen"]
    _screen_missing(project, warehouse, lock, fingerprint)
    gone = members.join(present, on="example_id", how="anti")["example_id"].sort().to_list()
    kept = members.join(present, on="example_id", how="semi").sort("example_id")
    body = {key: value for key, value in lock.items() if key not in LOCK_ONLY}
    if gone:
        body |= {"members_id": name_members(kept), "rebuilt_from": lock["release"]}
    release_id = make_release_id(body)
    _store(project, warehouse, release_id, body, kept, fingerprint)
    return RebuildReport(lock["release"], release_id, kept.height, gone)


def _check_pack(project: Project, lock: dict[str, Any]) -> None:
    found = (project.pack.name, fingerprint_pack(project.pack))
    if found != (lock["pack"], lock["pack_fingerprint"]):
        raise ConfigError(
            f"release {lock['release']}: made with pack {lock['pack']} ({lock['pack_fingerprint'][:12]}), this project has "
            f"{found[0]} ({found[1][:12]}), so the bytes would differ",
            "put back that pack, or curator balance makes a release of today",
        )


def _list_members(lock: dict[str, Any]) -> "pl.DataFrame":
    import polars as pl

    # Locks of earlier versions name no units: then every row is one of its own.
    rows = [(*row[:3], row[3] if len(row) > 3 else row[0]) for row in lock["members"]]
    return pl.DataFrame(rows, schema=dict.fromkeys(MEMBER_COLUMNS, pl.String), orient="row")


def _find_present(warehouse: Warehouse, members: "pl.DataFrame") -> "pl.DataFrame":
    with warehouse.lend({"wanted": members.select("example_id")}):
        return warehouse.read("present_members")


def _screen_missing(project: Project, warehouse: Warehouse, lock: dict[str, Any], fingerprint: str) -> None:
    """Screens members again under the settings of the lock where that was not done here or is of another time."""
    import polars as pl

    wanted = pl.DataFrame({"id": [row[0] for row in lock["members"]]})
    with warehouse.lend({"wanted": wanted}):
        rows = warehouse.read("unscreened_members", fingerprint=fingerprint)
    if not rows.height:
        return
    config = ScreenConfig.model_validate(lock["config"]["screen"])
    if fingerprint_stage("screen", config, project.pack.languages) != fingerprint:
        raise ConfigError(
            f"release {lock['release']}: screened by curator {lock['curator']}, whose rules this version does not have",
            f"pip install corpus-curator=={lock['curator']}, then rebuild again",
        )
    screened = screen_examples(rows, config, project.pack)
    warehouse.append("screening", screened.screening, {"fingerprint": fingerprint})


def _store(
    project: Project,
    warehouse: Warehouse,
    release_id: str,
    body: dict[str, Any],
    members: "pl.DataFrame",
    fingerprint: str,
) -> None:
    import polars as pl

    known = warehouse.read("releases")
    if release_id not in known.filter(~known["is_withdrawn"])["id"].to_list():
        with warehouse.lend({"members": members}):
            texts = warehouse.read("member_texts", screen_fingerprint=fingerprint)
        _deal(warehouse, texts, members, release_id)
        pairs = find_unit_pairs(texts, float(body["config"]["split"]["threshold"]))
        leaks = find_leaks(members, members, pairs)
        if leaks:
            first = leaks[0]
            raise ExportError(
                f"release {release_id}: {first.left} ({first.left_split}) and {first.right} ({first.right_split}) leak",
                "curator balance makes a release of today",
            )
        with warehouse.transaction():
            warehouse.append("release_member", members, {"release_id": release_id})
            report = dump_canonical(_describe(release_id, body, members))
            warehouse.run("keep_release", id=release_id, is_verified=True, lock=dump_canonical(body), report=report)
    write_lock(project, release_id, body, members.select(pl.col(MEMBER_COLUMNS)))


def _deal(warehouse: Warehouse, texts: "pl.DataFrame", members: "pl.DataFrame", release_id: str) -> None:
    """Writes the splits of rows that are not dealt here yet: later releases of this project keep them, too.

    Raises:
        ConfigError: A row or a key lies in another split here.
    """
    import polars as pl

    splits = texts.select("unit_keys", "split").explode("unit_keys", empty_as_null=False).drop_nulls().unique()
    wanted = pl.concat(
        [
            members.select(pl.lit("example").alias("key_kind"), pl.col("example_id").alias("key"), "split", "category"),
            splits.select(
                pl.lit("unit_key").alias("key_kind"),
                pl.col("unit_keys").alias("key"),
                "split",
                pl.lit(None, pl.String).alias("category"),
            ),
        ]
    )
    ledger = warehouse.read("split_ledger")
    clash = wanted.join(ledger, on=["key_kind", "key"], suffix="_here").filter(pl.col("split") != pl.col("split_here"))
    if clash.height:
        row = clash.sort("key_kind", "key").row(0, named=True)
        raise ConfigError(
            f"release {release_id}: {row['key']} is {row['split']} in the lock and {row['split_here']} in this project",
            "rebuild it in a project of its own: curator init DIR",
        )
    warehouse.append("split_ledger", wanted.join(ledger, on=["key_kind", "key"], how="anti").sort("key_kind", "key"))


def _describe(release_id: str, body: dict[str, Any], members: "pl.DataFrame") -> dict[str, Any]:
    """Gives the report of a rebuilt release: its counts; what once kept it from being larger is not known."""
    splits = {}
    for split in ("train", "validation", "test"):
        mine = members.filter((members["split"] == split) & members["category"].is_not_null())
        counts = dict(mine.group_by("category").len().iter_rows())
        splits[split] = {
            "size": mine.height,
            "counts": {name: int(counts.get(name, 0)) for name in body["targets"]},
            "targets": body["targets"],
            "missing": [],
            "shortfalls": [],
        }
    return {
        "release_id": release_id, "is_new": True, "is_current": False, "is_stored": False, "splits": splits, "preferences": {},
        "uncategorised": 0, "withheld": 0, "contaminated": 0, "flagged": 0, "thin_categories": {}, "leaks": [],
    }  # fmt: skip
