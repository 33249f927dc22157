-- Grain: one row an arm and user. For snapshots.
select * from experiment_users order by arm, ordinal
