-- Grain: one row a text hash of `wanted` with a text that has it, as cleaned. Places first, as in `texts_by_id`.
-- Parameters: $fingerprint, $screen_fingerprint
with chosen as materialized (
    select text_hash, min(example_id) as id
    from signature
    semi join wanted using (text_hash)
    where fingerprint = $fingerprint
    group by text_hash
),
found as materialized (
    select id, messages, rejected from example
    where rowid in (select rowid from example semi join chosen using (id))
),
cleaned as materialized (
    select example_id as id, messages, rejected from screening
    where rowid in (
        select rowid from screening semi join chosen on chosen.id = screening.example_id
        where fingerprint = $screen_fingerprint
    )
)
select
    chosen.text_hash,
    coalesce(cleaned.messages, found.messages) as messages,
    coalesce(cleaned.rejected, found.rejected) as rejected
from chosen join found using (id) join cleaned using (id)
