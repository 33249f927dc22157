-- Grain: one row, the number of document versions that came in after extraction last read all of them. In a database of
-- an older version, which did not count, it is none; in one that never was curated, all.
create or replace view uncurated_document as
select greatest(0, (select count(*) from document) - coalesce(
    (select value::bigint from meta where key = 'documents_read'),
    (select count(*) from document where exists (select 1 from stage where name = 'extract'))
)) as documents
