-- Grain: one row an edit that stands.
select subject_id, result_id, unit_key from revision order by subject_id
