"""Looking at frozen releases: list, show, compare, verify."""

import json
from collections import Counter
from typing import Any

from curator.balance.release import find_unit_pairs
from curator.balance.verify import find_leaks
from curator.export.stage import find_release
from schemas.errors import ConfigError
from warehouse import Warehouse


def list_release_rows(snapshot: Warehouse) -> list[dict[str, Any]]:
    """Gives one row a release for a table, the newest first."""
    return [
        {
            "release": row["id"],
            "made": row["created_at"].strftime("%Y-%m-%d %H:%M"),
            "rows": row["rows"],
            "verified": row["is_verified"],
        }
        for row in snapshot.read("snapshot_releases").to_dicts()
    ]


def read_release(snapshot: Warehouse, release_id: str | None) -> dict[str, Any]:
    """Gives the report with which a release was frozen.

    Raises:
        ConfigError: There is no such release.
    """
    found = [
        row
        for row in snapshot.read("snapshot_releases").to_dicts()
        if release_id is None or row["id"].startswith(release_id)
    ]
    if not found:
        raise ConfigError(f"release {release_id or '(latest)'}: no such release", "curator releases list")
    report: dict[str, Any] = json.loads(found[0]["report"])
    return report | {"created_at": str(found[0]["created_at"]), "is_verified": found[0]["is_verified"]}


def compare_releases(snapshot: Warehouse, left: str, right: str) -> dict[str, Any]:
    """Gives what differs between two releases.

    Returns:
        `left`, `right` (full ids), `changes` (rows with id, change in/out/moved, category, splits, reason), `counts` by
        change, `by_reason` (rows out: what is against them), `in_by_reason` (where the rows in are from); for each side
        `mix` (rows by category, without preferences), `rights` (rows by licence and permission) and `evaluation`
        (models that were trained on it, with their metrics); `duplicates`: of the rows out, how many dedup has `removed`
        by now and how many were `replaced` by a row of the other release.

    Raises:
        ConfigError: One of them does not exist.
    """
    ids = [read_release(snapshot, name)["release_id"] for name in (left, right)]
    changes = snapshot.read("compare_members", left=ids[0], right=ids[1]).to_dicts()
    return {
        "left": ids[0],
        "right": ids[1],
        "counts": dict(sorted(Counter(row["change"] for row in changes).items())),
        "by_reason": _count_reasons(changes, "out", "not selected"),
        "in_by_reason": _count_reasons(changes, "in", "no longer there"),
        "mix": {
            side: {
                name: sum(split["counts"].get(name, 0) for split in read_release(snapshot, release)["splits"].values())
                for name in snapshot.read("mix")["category"].to_list()
            }
            for side, release in zip(("left", "right"), ids, strict=True)
        },
        "rights": {side: snapshot.read("release_rights", release=name).to_dicts()
                   for side, name in zip(("left", "right"), ids, strict=True)},
        "duplicates": snapshot.read("compare_duplicates", left=ids[0], right=ids[1]).row(0, named=True),
        "evaluation": {side: _read_models(snapshot, name) for side, name in zip(("left", "right"), ids, strict=True)},
        "changes": changes,
    }  # fmt: skip


def _count_reasons(changes: list[dict[str, Any]], change: str, other: str) -> dict[str, int]:
    return dict(sorted(Counter(row["reason"] or other for row in changes if row["change"] == change).items()))


def _read_models(snapshot: Warehouse, release: str) -> list[dict[str, Any]]:
    rows = snapshot.read("release_models", release=release).to_dicts()
    return [{**row, "metrics": json.loads(row["metrics"])} for row in rows]


def verify_stored_release(warehouse: Warehouse, release_id: str | None) -> dict[str, Any]:
    """Proves again, from the stored text, that a release does not leak.

    Returns:
        `release`, `members`, `pairs` (near-duplicate pairs inside splits), `leaks`.
    """
    import polars as pl

    release = find_release(warehouse, release_id)
    lock = json.loads(release["lock"])
    texts = warehouse.read("release_texts", release_id=release["id"], screen_fingerprint=lock["stages"]["screen"])
    pairs = find_unit_pairs(texts, float(lock["config"]["split"]["threshold"]))
    members = texts.select(pl.col("id").alias("example_id"), "split", "unit_id")
    leaks = [*find_leaks(members, members, pairs), *_torn_keys(texts)]
    return {
        "release": release["id"],
        "members": members.height,
        "pairs": pairs.height,
        "leaks": [vars(leak) for leak in leaks],
    }


def _torn_keys(texts: Any) -> list[Any]:
    import polars as pl

    from curator.balance.verify import Leak

    torn = (
        texts.select("split", pl.col("unit_keys"))
        .explode("unit_keys")
        .drop_nulls()
        .group_by("unit_keys")
        .agg(pl.col("split").unique().sort())
        .filter(pl.col("split").list.len() > 1)
        .sort("unit_keys")
    )
    return [Leak("unit_key", key, splits[0], key, splits[1]) for key, splits in torn.iter_rows()]
