"""Everything DuckDB: open, migrate, typed reads and writes, snapshots."""
