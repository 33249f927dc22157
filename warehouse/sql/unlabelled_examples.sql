-- Grain: one row a screened example that categorise has not seen under this fingerprint. Parameters: $fingerprint
select screened_example.id, messages, screened_example.category, category_basis, screened_example.role,
    screened_example.language, document.source
from screened_example
join document on document.id = screened_example.document_id
where screened_example.id not in (select example_id from label where fingerprint = $fingerprint)
order by screened_example.id
