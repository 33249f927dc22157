-- Grain: one row a licence and permission of a release's members. For snapshots. Parameters: $release
select examples.licence, examples.permission, count(*) as rows
from release_members
join examples on examples.id = release_members.example_id
where release_members.release_id = $release
group by all order by rows desc, licence, permission
