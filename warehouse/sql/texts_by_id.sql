-- Grain: one row an example named in `wanted`, current or not, with its text as cleaned. Places first: texts are packed,
-- and only those of row groups that hold a wanted one are unpacked then. Parameters: $screen_fingerprint
select
    example.id,
    coalesce(screening.messages, example.messages) as messages,
    coalesce(screening.rejected, example.rejected) as rejected
from example
join screening on screening.example_id = example.id and screening.fingerprint = $screen_fingerprint
where example.rowid in (select rowid from example semi join wanted using (id))
    and screening.rowid in (
        select rowid from screening semi join wanted on wanted.id = screening.example_id
        where fingerprint = $screen_fingerprint
    )
