-- Grain: one row a tombstone.
select key_hash, kind from tombstone
