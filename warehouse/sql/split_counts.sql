-- Grain: one row a split of the last release. For snapshots.
select split, count(*) as rows from release_members
where example_id not in (select id from preferences)
    and release_id = (select id from releases order by sequence desc limit 1)
group by split
order by case split when 'train' then 0 when 'validation' then 1 else 2 end
