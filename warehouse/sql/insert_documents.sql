-- Adds the documents of `incoming` whose id is not yet there, one row an id.
insert into document by name
select * from incoming
where id not in (select id from document)
qualify row_number() over (partition by id order by fetched_at desc) = 1
