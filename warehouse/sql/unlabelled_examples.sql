-- Grain: one row a screened example that categorise has not seen under this fingerprint. Places first, as in
-- `texts_by_id`. Parameters: $fingerprint
with pending as materialized (
    select screened_example.id from screened_example
    where id not in (select example_id from label where fingerprint = $fingerprint)
),
found as materialized (
    select id, document_id, messages, category, category_basis, role from example
    where rowid in (select rowid from example semi join pending using (id))
),
cleaned as materialized (
    select example_id as id, messages, language from screening
    where rowid in (
        select rowid from screening semi join pending on pending.id = screening.example_id
        where fingerprint = (select fingerprint from stage where name = 'screen')
    )
)
select
    found.id, coalesce(cleaned.messages, found.messages) as messages, category, category_basis, role, cleaned.language,
    document.source
from found
join cleaned using (id)
join document on document.id = found.document_id
order by found.id
