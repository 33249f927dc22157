-- Adds the documents of `incoming` whose id is not yet there, one row an id.
-- Only ids that come twice are ranked: a window over all rows would carry every text through it.
insert into document by name
with twice as (select id from incoming group by id having count(*) > 1)
select * from incoming
where id not in (select id from document) and id not in (select id from twice)
union all by name
select * from incoming
where id in (select id from twice) and id not in (select id from document)
qualify row_number() over (partition by id order by fetched_at desc) = 1
