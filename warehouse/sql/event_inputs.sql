-- Grain: one row a prompt that recommendations were given for, with those events and all replies to them, in order of
-- id. A reply whose recommendation has not come yet waits.
with event as (
    select
        id, created_at, natural_key,
        json_extract_string(metadata, '$.event') as event,
        json_extract_string(metadata, '$.recommendation') as recommendation,
        json_extract_string(metadata, '$.prompt_key') as prompt_key
    from current_document
    where kind = 'event'
),
shown as (
    select recommendation, arg_min(prompt_key, (created_at, natural_key)) as prompt_key
    from event where event = 'recommendation' group by recommendation
)
select shown.prompt_key, list(event.id order by event.id) as document_ids
from event
join shown using (recommendation)
group by shown.prompt_key
order by shown.prompt_key
