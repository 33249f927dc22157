-- Documents of which no row is kept, with their reasons (curator why ID tells more)
with kept as (
    select unnest(document_ids) as id from examples
    where id in (select id from corpus) or id in (select id from preferences)
),
made as (select unnest(document_ids) as id, id as example_id from examples),
told as (
    select id, reason from documents join verdicts on verdicts.subject_id = documents.id where not is_kept
    union all
    select made.id, reason from made join verdicts on verdicts.subject_id = made.example_id where not is_kept
)
select source, natural_key, documents.id, string_agg(distinct reason, ', ' order by reason) as reasons
from documents left join told using (id)
where is_current and documents.id not in (select id from kept)
group by source, natural_key, documents.id
order by source, natural_key limit 200
