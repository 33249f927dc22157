-- Grain: one row a release with its size by split, the newest first. For snapshots.
select releases.id, releases.created_at, releases.is_verified, releases.is_withdrawn,
    count(members.example_id) as rows,
    count(*) filter (members.split = 'train') as train,
    count(*) filter (members.split = 'validation') as validation,
    count(*) filter (members.split = 'test') as test
from releases
left join (
    select * from release_members where example_id not in (select id from preferences)
) as members on members.release_id = releases.id
group by all
order by any_value(releases.sequence) desc
