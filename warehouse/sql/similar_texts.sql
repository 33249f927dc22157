-- Grain: one row a pair of similar texts. For snapshots.
select left_hash, right_hash, similarity from similar_texts order by left_hash, right_hash
