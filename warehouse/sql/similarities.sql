-- Grain: one row a removed near-duplicate. For snapshots.
select similarity from duplicates where not is_representative order by similarity
