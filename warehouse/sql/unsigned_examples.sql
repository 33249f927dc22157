-- Grain: one row a candidate of dedup without a stored signature. Parameters: $fingerprint
select id from screened_example
where id not in (select subject_id from current_verdict where not is_kept and stage in ('screen', 'review'))
    and id not in (select example_id from signature where fingerprint = $fingerprint)
order by id
