-- A version that was superseded and is fetched again becomes the newest one again.
update document set fetched_at = incoming.fetched_at
from incoming
where document.id = incoming.id
    and document.fetched_at < incoming.fetched_at
    and document.id not in (
        select newest.id from (
            select id from document
            qualify row_number() over (partition by source, natural_key order by fetched_at desc, id desc) = 1
        ) as newest
    )
