-- Grain: one row a current example made of feedback and an event that it rests on, with who sent it.
select
    current_example.id as example_id,
    document.natural_key as event_id,
    coalesce(document.author_hash, nullif(json_extract_string(document.metadata, '$.client'), ''), document.natural_key)
        as person,
    document.created_at
from current_example, unnest(current_example.document_ids) as part(document_id)
join document on document.id = part.document_id
where current_example.extractor = 'event'
order by example_id, event_id
