-- Grain: one row an example named in `wanted`, as extracted. Places first, as in `texts_by_id`.
select example.* from example
where rowid in (select rowid from example semi join wanted using (id))
order by id
