-- Grain: one row a dealt example id or unit key.
select key_kind, key, split from split_ledger
