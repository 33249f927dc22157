-- Grain: one row a category. For snapshots.
select * from mix
