-- Grain: one row a document version, without its text and without author hashes.
create or replace table snapshot.documents as
select
    id, source, kind, natural_key, url, created_at, fetched_at, licence, basis, permission, attribution,
    id in (select id from current_document) as is_current
from document
order by id
