-- Grain: one row an arm and user of it, numbered anew and without a hash: what an A/B test counts, each user once.
-- Rates are over the user's recommendations that the reply was given for; outcomes count where they were followed.
create or replace table snapshot.experiment_users as
with event as (
    select
        natural_key, created_at, author_hash,
        json_extract_string(metadata, '$.event') as event,
        json_extract_string(metadata, '$.recommendation') as id
    from current_document
    where kind = 'event'
),
shown as (
    select id, coalesce(author_hash, id) as person from event where event = 'recommendation'
    qualify row_number() over (partition by id order by created_at, natural_key) = 1
)
select
    arm,
    row_number() over (partition by arm order by min(occurred_at), min(id)) as ordinal,
    count(*) as recommendations,
    avg(rating) as mean_rating,
    avg(is_followed::integer) as follow_rate,
    avg((outcome = 'achieved')::integer) filter (is_followed) as achieved_rate,
    avg((outcome = 'injury')::integer) filter (is_followed) as injury_rate
from snapshot.recommendations
join shown using (id)
where arm is not null
group by arm, person
order by arm, ordinal
