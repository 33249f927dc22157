-- Grain: one row a screened example, kept or not, with what the units and the search for evaluation cases need.
select screened_example.id, messages, rejected, unit_keys, document.source, screened_example.extractor
from screened_example
join document on document.id = screened_example.document_id
order by screened_example.id
