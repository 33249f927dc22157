-- Grain: one row a member named in `wanted` (example_id) whose text and origin are stored.
select example.id as example_id from example
join document on document.id = example.document_id
where example.id in (select example_id from wanted)
order by example.id
