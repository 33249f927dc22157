-- Grain: one row an example that holds text of a document named in `doomed`.
select distinct example.id from example, unnest(example.document_ids) as part(document_id)
where part.document_id in (select id from doomed)
order by example.id
