-- Grain: one row a screened example named in `wanted`, with its text as cleaned.
select id, messages, rejected from screened_example where id in (select id from wanted) order by id
