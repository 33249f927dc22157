-- Grain: one row an example named in `wanted` with the role that its source states.
select id, role from example where id in (select id from wanted) order by id
