-- Adds the examples of `incoming`, one row an id.
insert into example by name
select distinct on (id) * from incoming
