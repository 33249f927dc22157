"""What a person decides about single rows: accepted rows lose their safety flag, rejected ones leave the corpus."""

from dataclasses import dataclass
from typing import Any

import orjson

from schemas.errors import ConfigError
from schemas.frames import verdict_frame
from warehouse import Warehouse

FINGERPRINT = "person"
"""Reviews are current under any settings, so they carry no fingerprint of code."""


@dataclass(frozen=True)
class Decision:
    """One word of a reviewer.

    Attributes:
        example_id: Which row.
        is_kept: Accept or reject.
        reason: Why it is rejected, or what was looked at.
    """

    example_id: str
    is_kept: bool
    reason: str


def read_queue(snapshot: Warehouse, limit: int) -> list[dict[str, Any]]:
    """Gives the rows that wait for a person: safety flags first, then uncategorised rows, the best first."""
    rows = snapshot.read("review_queue", limit=limit).to_dicts()
    return [{**row, "messages": orjson.loads(row["messages"])} for row in rows]


def store_decisions(warehouse: Warehouse, decisions: list[Decision]) -> int:
    """Stores decisions; a later one about the same row replaces the earlier.

    Returns:
        How many were stored.

    Raises:
        ConfigError: A row does not exist, or an abbreviated id means several; nothing is stored then.
    """
    named = [Decision(_find_id(warehouse, item.example_id), item.is_kept, item.reason) for item in decisions]
    rows = [{"subject_id": item.example_id, "is_kept": item.is_kept, "reason": item.reason} for item in named]
    with warehouse.transaction():
        for item in named:
            warehouse.run("drop_review", id=item.example_id)
        warehouse.append("verdict", verdict_frame(rows), {"stage": "review", "fingerprint": FINGERPRINT})
    return len(rows)


def _find_id(warehouse: Warehouse, prefix: str) -> str:
    found = warehouse.read("example_ids", prefix=prefix)["id"].to_list()
    if len(found) != 1:
        what = "no example has it" if not found else "more than one example starts so"
        raise ConfigError(f"id {prefix!r}: {what}", "curator review shows the ids that wait")
    return str(found[0])
