-- Grain: one row an example that screening keeps and that has words. For snapshots.
select example_id as id, text_hash from text_hashes order by example_id
