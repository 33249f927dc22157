"""The queue: rows about which a person should say something, and why."""

from collections.abc import Sequence
from typing import Any

import orjson

from schemas.config import ProjectConfig
from schemas.errors import ConfigError
from warehouse import Warehouse

REASONS = ("uncategorised", "flagged", "low_confidence", "borderline_duplicate")
"""Why a row waits, in the order of the queue."""
CONFIDENCE_MARGIN = 0.10
SIMILARITY_MARGIN = 0.03
"""How far above its threshold a guess still counts as barely sure, and a removed near-duplicate as barely one."""


def read_queue(
    snapshot: Warehouse,
    config: ProjectConfig,
    limit: int,
    offset: int = 0,
    reasons: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Gives the rows that wait for a person and have not been accepted, rejected or edited yet.

    Args:
        snapshot: An open snapshot.
        config: Gives the thresholds of category and near-duplicate.
        limit: Rows at most.
        offset: Rows to pass over.
        reasons: Only rows that wait for one of these; all if empty.

    Returns:
        Rows with `id`, `reason` (the first of `reasons`), `reasons`, `flags`, where they come from, `messages`,
        `category` with `confidence` and `evidence`, and of a borderline duplicate `partner`, `similarity`,
        `partner_messages`.

    Raises:
        ConfigError: A reason is unknown.
    """
    unknown = sorted(set(reasons) - set(REASONS))
    if unknown:
        raise ConfigError(f"reason {unknown[0]!r}: unknown", f"expected one of {', '.join(REASONS)}")
    rows = snapshot.read(
        "review_queue",
        limit=limit,
        offset=offset,
        max_confidence=config.categorise.min_confidence + CONFIDENCE_MARGIN,
        max_similarity=config.dedup.threshold + SIMILARITY_MARGIN,
        reasons=list(reasons or REASONS),
    ).to_dicts()
    return [{**row, **_parse(row, "messages"), **_parse(row, "partner_messages")} for row in rows]


def _parse(row: dict[str, Any], key: str) -> dict[str, Any]:
    return {key: orjson.loads(row[key]) if row[key] else None}
