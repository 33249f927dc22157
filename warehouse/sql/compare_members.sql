-- Grain: one row an example that is in one release and not in the other, or in another split; reason: what is against a
-- row that went out, where a row that came in is from. For snapshots.
-- Parameters: $left, $right
select
    coalesce(a.example_id, b.example_id) as id,
    case when b.example_id is null then 'out' when a.example_id is null then 'in' else 'moved' end as change,
    coalesce(b.category, a.category) as category, a.split as left_split, b.split as right_split,
    case
        when b.example_id is null then (
            select min(stage || ': ' || reason) from verdicts where subject_id = a.example_id and not is_kept
        )
        when a.example_id is null then (
            select min(case when extractor = 'review' then 'edited by a reviewer' else 'from ' || source end)
            from examples where id = b.example_id
        )
    end as reason
from (select * from release_members where release_id = $left) as a
full join (select * from release_members where release_id = $right) as b using (example_id)
where a.split is distinct from b.split
order by change, id
