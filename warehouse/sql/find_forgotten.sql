-- Grain: one row a document version that a request to forget means. Parameters: $kind, $value
-- (kinds: url, author (a hash), source, document (id or natural key of a document, or id of an example))
with named as (
    select source, natural_key from document
    where ($kind = 'url' and url = $value)
        or ($kind = 'author' and author_hash = $value)
        or ($kind = 'source' and source = $value)
        or ($kind = 'document' and (id = $value or natural_key = $value))
        or ($kind = 'document' and id in (select unnest(document_ids) from example where id = $value))
)
select document.id, document.source, document.natural_key, document.url, document.author_hash, document.content,
    document.title
from document join named using (source, natural_key)
group by all
order by document.id
