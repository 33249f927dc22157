-- Grain: one row a dimension and value; see the view metrics. For snapshots.
select * from metrics
