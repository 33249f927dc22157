-- Rows of each category by split in the last release
select category,
    count(*) filter (split = 'train') as train,
    count(*) filter (split = 'validation') as validation,
    count(*) filter (split = 'test') as test
from release_members
where example_id not in (select id from preferences)
    and release_id = (select id from releases order by sequence desc limit 1)
group by category order by category
