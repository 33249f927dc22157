-- Grain: one row a table or view with its columns and their types in order. For snapshots.
select table_name, list(column_name order by column_index) as names, list(data_type order by column_index) as types
from duckdb_columns()
where schema_name = 'main' and not internal
group by table_name
order by table_name
