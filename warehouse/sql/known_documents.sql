-- Grain: one row an id of `incoming` that is already there.
select distinct id from document semi join incoming using (id)
