-- Grain: one row a text hash of `wanted` with a text that has it, as cleaned. Places first, as in `texts_by_id`.
-- Parameters: $fingerprint, $screen_fingerprint
with chosen as materialized (
    select text_hash, min(example_id) as id
    from signature
    semi join wanted using (text_hash)
    where fingerprint = $fingerprint
    group by text_hash
)
select
    chosen.text_hash,
    coalesce(screening.messages, example.messages) as messages,
    coalesce(screening.rejected, example.rejected) as rejected
from example
join chosen using (id)
join screening on screening.example_id = example.id and screening.fingerprint = $screen_fingerprint
where example.rowid in (select rowid from example semi join chosen using (id))
    and screening.rowid in (
        select rowid from screening semi join chosen on chosen.id = screening.example_id
        where fingerprint = $screen_fingerprint
    )
