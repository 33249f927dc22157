-- Grain: one row an example, with the unit that the last balance found it in.
select example_id, unit_id, unit_size from unit order by example_id
