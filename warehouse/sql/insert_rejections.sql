-- Adds the rejections of `incoming` that are not yet there.
insert into rejection by name
select distinct on (source, location, reason) * from incoming
anti join rejection using (source, location, reason)
