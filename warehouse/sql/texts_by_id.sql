-- Grain: one row an example named in `wanted`, current or not, with its text as cleaned. Places first: texts are packed,
-- and only those of row groups that hold a wanted one are unpacked then. Parameters: $screen_fingerprint
with found as materialized (
    select id, messages, rejected from example
    where rowid in (select rowid from example semi join wanted using (id))
),
cleaned as materialized (
    select example_id as id, messages, rejected from screening
    where rowid in (
        select rowid from screening semi join wanted on wanted.id = screening.example_id
        where fingerprint = $screen_fingerprint
    )
)
select
    id,
    coalesce(cleaned.messages, found.messages) as messages,
    coalesce(cleaned.rejected, found.rejected) as rejected
from found join cleaned using (id)
