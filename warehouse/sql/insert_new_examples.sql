-- Adds the examples of `incoming` whose id is not yet there.
insert into example by name
select * from incoming where id not in (select id from example)
