-- Grain: one row a release that an example is in, with the exports of it. For snapshots. Parameters: $id
select release_members.release_id, release_members.split,
    (select list(distinct path order by path) from exports
        where exports.release_id = release_members.release_id) as exports
from release_members join releases on releases.id = release_members.release_id
where release_members.example_id = $id
order by releases.sequence
