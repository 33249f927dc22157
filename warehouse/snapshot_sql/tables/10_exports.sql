-- Grain: one row an export folder that was written.
create or replace table snapshot.exports as select release_id, format, path, written_at from export order by written_at
