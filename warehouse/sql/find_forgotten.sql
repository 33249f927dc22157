-- Grain: one row a document version that a request to forget means. Parameters: $kind, $value
-- (kinds: url, author (a hash), source, document (id or natural key of a document, or id of an example))
with named as (
    select source, natural_key from document
    where ($kind = 'url' and url = $value)
        or ($kind = 'author' and author_hash = $value)
        or ($kind = 'source' and source = $value)
        or ($kind = 'document' and (id = $value or natural_key = $value))
        or ($kind = 'document' and id in (select unnest(document_ids) from example where id = $value))
),
-- Whoever replies to a recommendation repeats it or speaks of it, with or without giving a name.
reply as (
    select reply.source, reply.natural_key
    from document as reply
    join document as shown
        on json_extract_string(shown.metadata, '$.recommendation') = json_extract_string(reply.metadata, '$.recommendation')
    join named on named.source = shown.source and named.natural_key = shown.natural_key
    where reply.kind = 'event' and shown.kind = 'event' and json_extract_string(shown.metadata, '$.event') = 'recommendation'
)
select document.id, document.source, document.natural_key, document.url, document.author_hash, document.content,
    document.title
from document join (select * from named union select * from reply) using (source, natural_key)
group by all
order by document.id
