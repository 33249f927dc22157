"""Everything DuckDB: open, migrate, typed reads and writes, the lock, and snapshots for readers."""

from warehouse.lock import hold_lock, read_owner
from warehouse.snapshot import (
    distrust_snapshot,
    find_snapshot,
    list_views,
    open_snapshot,
    publish_snapshot,
    shows_another_database,
    trust_snapshot,
)
from warehouse.store import Warehouse, open_warehouse

__all__ = [
    "Warehouse",
    "distrust_snapshot",
    "find_snapshot",
    "hold_lock",
    "list_views",
    "open_snapshot",
    "open_warehouse",
    "publish_snapshot",
    "read_owner",
    "shows_another_database",
    "trust_snapshot",
]
