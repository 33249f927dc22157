-- Grain: one row a source and release: how many rows went from one into the other. For snapshots.
select examples.source, release_members.release_id, count(*) as rows
from release_members join examples on examples.id = release_members.example_id
group by all order by release_id, rows desc
