-- Grain: one row a category: what is kept, its share of the categorised rows, the target, and the last release.
create or replace view mix as
with counted as (
    select category, count(*) as kept from corpus where category is not null group by category
),
released as (
    select category, count(*) as released from release_members
    where example_id not in (select id from preferences)
        and release_id = (select id from releases order by sequence desc limit 1)
    group by category
)
select
    targets.category,
    targets.share as target_share,
    coalesce(counted.kept, 0) as kept,
    round(coalesce(counted.kept, 0) / nullif(sum(counted.kept) over (), 0), 4) as kept_share,
    coalesce(released.released, 0) as released,
    round(coalesce(released.released, 0) / nullif(sum(released.released) over (), 0), 4) as released_share
from targets
left join counted using (category)
left join released using (category)
order by targets.ordinal
