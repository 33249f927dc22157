-- Grain: one row an example named in `wanted` that screening has not seen under a fingerprint. Parameters: $fingerprint
select * from example
where id in (select id from wanted) and id not in (select example_id from screening where fingerprint = $fingerprint)
order by id
