-- Grain: one cell, how many documents of `incoming` are not yet there.
select count(distinct id) from incoming where id not in (select id from document)
