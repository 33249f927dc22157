-- Grain: one row a command that changed something.
create or replace table snapshot.runs as select * from run order by started_at
