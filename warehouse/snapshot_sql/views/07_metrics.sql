-- Grain: one row a dimension (all, model, arm, role, category, week) and a value of it.
-- accuracy: the user agreed (rated 4 or 5, or followed it unrated) and did not correct it, of those who said either.
-- pr_success: goal or record reached, of what was followed and has an outcome. injury_prevention: no injury, of the same.
-- satisfaction: mean rating, 1-5. adherence: followed, of those who said. relevance: see recommendations.
create or replace view metrics as
with told as (
    select
        *,
        strftime(date_trunc('week', occurred_at), '%Y-%m-%d') as week,
        case
            when is_corrected then 0
            when rating is not null then (rating >= 4)::integer
            when is_followed is not null then is_followed::integer
        end as agreed,
        is_followed and outcome is not null as is_tried
    from recommendations
)
select
    case
        when grouping(model) = 0 then 'model'
        when grouping(arm) = 0 then 'arm'
        when grouping(role) = 0 then 'role'
        when grouping(category) = 0 then 'category'
        when grouping(week) = 0 then 'week'
        else 'all'
    end as dimension,
    coalesce(model, arm, role, category, week) as value,
    count(*) as recommendations,
    avg(agreed) as accuracy,
    avg((outcome = 'achieved')::integer) filter (is_tried) as pr_success,
    1 - avg((outcome = 'injury')::integer) filter (is_tried) as injury_prevention,
    avg(rating) as satisfaction,
    avg(is_followed::integer) as adherence,
    avg(relevance) as relevance,
    count(rating) as rated,
    count(*) filter (is_tried) as tried
from told
group by grouping sets ((), (model), (arm), (role), (category), (week))
order by dimension, value
