-- A version that is fetched again is as new as this fetch, where its natural key has other versions: so one that was
-- superseded becomes the newest again, and of several in one input always the same one wins.
update document set fetched_at = seen.fetched_at
from (select id, max(fetched_at) as fetched_at from incoming group by id) as seen
where document.id = seen.id
    and document.fetched_at < seen.fetched_at
    and (document.source, document.natural_key) in (
        select (source, natural_key) from document
        semi join incoming using (source, natural_key)
        group by source, natural_key having count(*) > 1
    )
