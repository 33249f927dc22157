-- Grain: one row a source, with how many of the examples named in `wanted` it has.
select document.source, count(*) as num_rows
from wanted
join example on example.id = wanted.id
join document on document.id = example.document_id
group by document.source
