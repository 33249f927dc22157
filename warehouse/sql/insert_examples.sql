-- Adds the examples of `incoming` that are not yet there.
insert into example by name
select distinct on (id) * from incoming where id not in (select id from example)
