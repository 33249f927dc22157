-- Grain: one row an example named in `wanted`, as extracted.
select example.* from example where id in (select id from wanted) order by id
