-- Grain: one row a document named in `wanted`.
select document.* from document where id in (select id from wanted) order by id
