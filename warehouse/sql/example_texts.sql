-- Grain: one row a current example. For snapshots.
select id, messages from examples order by id
