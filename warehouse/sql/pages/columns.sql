-- Grain: one row a column of a table or view of the snapshot. For snapshots.
select table_name, column_name, lower(data_type) as kind
from information_schema.columns where table_schema = 'main'
order by table_name, ordinal_position
