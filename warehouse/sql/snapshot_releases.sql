-- Grain: one row a release with its size, the newest first. For snapshots.
select releases.id, releases.created_at, releases.sequence, releases.is_verified, releases.report,
    (select count(*) from release_members where release_id = releases.id and example_id not in (select id from preferences)) as rows
from releases order by sequence desc
