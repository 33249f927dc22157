-- Grain: one row a screened example that categorise has not seen under this fingerprint. Places first, as in
-- `texts_by_id`. Parameters: $fingerprint
with pending as materialized (
    select screened_example.id from screened_example
    where id not in (select example_id from label where fingerprint = $fingerprint)
),
screened as materialized (select fingerprint from stage where name = 'screen')
select
    example.id, coalesce(screening.messages, example.messages) as messages, example.category, example.category_basis,
    example.role, screening.language, document.source
from example
join screening on screening.example_id = example.id
join document on document.id = example.document_id
where example.rowid in (select rowid from example semi join pending using (id))
    and screening.rowid in (
        select rowid from screening semi join pending on pending.id = screening.example_id
        where fingerprint = (select fingerprint from screened)
    )
order by example.id
