-- Adds the rejections of `incoming_rejections` that are not yet there.
insert into rejection by name
select distinct on (source, location, reason) * from incoming_rejections
anti join rejection using (source, location, reason)
