-- Grain: one row, the members of $left that are not in $right: how many of them dedup has removed by now, and how many of
-- those because of a row that is in $right. For snapshots.
with gone as (
    select example_id from release_members where release_id = $left
    except
    select example_id from release_members where release_id = $right
)
select
    count(distinct subject_id) as removed,
    count(distinct subject_id) filter (
        partner in (select example_id from release_members where release_id = $right)
    ) as replaced
from verdicts where stage = 'dedup' and not is_kept and subject_id in (select example_id from gone)
