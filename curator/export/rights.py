"""What may be done with an export: the most restrictive licence of its rows, and who must be named."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

RESTRICTIVENESS = [
    "CC0-1.0", "Unlicense", "PDDL-1.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ODC-BY-1.0",
    "CC-BY-3.0", "CC-BY-4.0", "ODbL-1.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "GPL-3.0-only", "CC-BY-NC-4.0",
    "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0", "CC-BY-NC-ND-4.0",
]  # fmt: skip
"""SPDX ids from free to bound. What is not listed counts as unknown, the most restrictive of all."""

PUBLISHABLE = ("granted", "own")


def summarise_rights(rows: "pl.DataFrame") -> dict[str, Any]:
    """Gives licence, permissions and attributions of the rows of an export.

    Args:
        rows: `licence`, `permission`, `attribution`, `source`.

    Returns:
        `licence` (the most restrictive), `licences` and `permissions` with counts, `attributions` (sorted texts),
        `unknown_permission` (rows), `is_publishable`.
    """
    licences = _count(rows, "licence")
    permissions = _count(rows, "permission")
    attributions = sorted(set(rows["attribution"].drop_nulls().to_list()))
    unknown = sum(count for name, count in permissions.items() if name not in PUBLISHABLE)
    return {
        "licence": find_most_restrictive(list(licences)),
        "licences": licences,
        "permissions": permissions,
        "unknown_permission": unknown,
        "is_publishable": unknown == 0,
        "attributions": attributions,
    }


def find_most_restrictive(licences: list[str]) -> str:
    """Gives the licence that binds a collection; `unknown` when any of them is not on the list."""
    if not licences or any(name not in RESTRICTIVENESS for name in licences):
        return "unknown"
    return max(licences, key=RESTRICTIVENESS.index)


def _count(rows: "pl.DataFrame", column: str) -> dict[str, int]:
    return {str(name): int(count) for name, count in sorted(rows.group_by(column).len().iter_rows())}
