-- Grain: one row a licence and permission of a release's members. For snapshots. Parameters: $release
select documents.licence, documents.permission, count(*) as rows
from release_members
join examples on examples.id = release_members.example_id
join documents on documents.id = examples.document_id
where release_members.release_id = $release
group by all order by rows desc, licence, permission
