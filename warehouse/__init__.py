"""Everything DuckDB: open, migrate, typed reads and writes, the lock, and snapshots for readers."""

from warehouse.lock import hold_lock, read_owner
from warehouse.snapshot import find_snapshot, forget_mark, keep_mark, list_views, open_snapshot, publish_snapshot
from warehouse.store import Warehouse, open_warehouse

__all__ = [
    "Warehouse",
    "find_snapshot",
    "forget_mark",
    "hold_lock",
    "keep_mark",
    "list_views",
    "open_snapshot",
    "open_warehouse",
    "publish_snapshot",
    "read_owner",
]
