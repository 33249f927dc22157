-- Grain: one row a recommendation that was shown, with the latest reply of each kind; no text, no user.
-- relevance: share of the question's words of four letters or more that the answer takes up, 0-1.
create or replace table snapshot.recommendations as
with event as (
    select
        natural_key, created_at,
        json_extract_string(metadata, '$.event') as event,
        json_extract_string(metadata, '$.recommendation') as id,
        content::json as content
    from current_document
    where kind = 'event'
),
shown as (
    select
        *,
        list_distinct(regexp_extract_all(
            lower(list_aggregate(
                list_transform(
                    list_filter(from_json(content->'$.prompt', '["json"]'), lambda turn: turn->>'$.role' = 'user'),
                    lambda turn: concat_ws(' ', turn->>'$.content', turn->>'$.input')
                ),
                'last'
            )),
            '[\p{L}]{4,}'
        )) as asked,
        list_distinct(regexp_extract_all(lower(content->>'$.answer'), '[\p{L}]{4,}')) as answered
    from event
    where event = 'recommendation'
    qualify row_number() over (partition by id order by created_at, natural_key) = 1
),
reply as (
    select
        id,
        (arg_max(content->>'$.rating', (created_at, natural_key)) filter (event = 'rating'))::integer as rating,
        (arg_max(content->>'$.is_followed', (created_at, natural_key)) filter (event = 'adherence'))::boolean
            as is_followed,
        arg_max(content->>'$.outcome', (created_at, natural_key)) filter (event = 'outcome') as outcome,
        count(*) filter (event = 'correction') > 0 as is_corrected
    from event
    where event <> 'recommendation'
    group by id
)
select
    shown.id,
    shown.content->>'$.model' as model,
    shown.content->>'$.arm' as arm,
    shown.content->>'$.role' as role,
    shown.content->>'$.category' as category,
    shown.created_at as occurred_at,
    reply.rating,
    reply.is_followed,
    reply.outcome,
    coalesce(reply.is_corrected, false) as is_corrected,
    case when len(asked) > 0 then len(list_intersect(asked, answered)) / len(asked) end as relevance
from shown
left join reply using (id)
order by shown.id
