-- Grain: one row an example or preference that today's documents give, or that a person made of one of them. A key
-- ties an edited row to what was made of it, so that no split ever parts the two.
create or replace view current_example as
select example.* replace (
    case when revision.subject_id is null then example.unit_keys
        else list_append(example.unit_keys, revision.unit_key) end as unit_keys
)
from example
left join revision on revision.subject_id = example.id
where example.id in (select id from extracted_example) or example.id in (select result_id from revision)
