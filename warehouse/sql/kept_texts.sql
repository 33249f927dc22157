-- Grain: one row a kept example. For snapshots.
select messages, source, metadata from examples where is_in_corpus and not is_preference order by id
