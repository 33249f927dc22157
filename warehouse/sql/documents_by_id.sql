-- Grain: one row a document named in `wanted`. Places first, as in `texts_by_id`.
select document.* from document
where rowid in (select rowid from document semi join wanted using (id))
order by id
