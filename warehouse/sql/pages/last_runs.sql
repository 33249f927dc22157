-- Grain: one row a command that changed something, the last ten. For snapshots.
select started_at, round(epoch(ended_at - started_at), 1) as seconds, command, summary
from runs order by started_at desc limit 10
