-- Grain: one row a command that changed something.
create table snapshot.runs as select * from run order by started_at
