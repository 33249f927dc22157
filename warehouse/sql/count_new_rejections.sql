-- Grain: one cell, how many rejections of `incoming_rejections` are not yet on record.
select count(*) from (
    select distinct on (source, location, reason) source, location, reason from incoming_rejections
    anti join rejection using (source, location, reason)
)
