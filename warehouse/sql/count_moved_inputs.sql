-- Grain: one cell, how many of `inputs` and of the current inputs are not among the other.
select count(*) from (select input_id from inputs) as now
full join current_input as before using (input_id)
where now.input_id is null or before.input_id is null
