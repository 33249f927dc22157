-- Grain: one row an example that holds text of a document named in `doomed`; written: the messages of one that a person
-- has edited, which stand in no document.
select distinct example.id, case when example.extractor = 'review' then example.messages end as written
from example, unnest(example.document_ids) as part(document_id)
where part.document_id in (select id from doomed)
order by example.id
