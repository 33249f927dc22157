-- Grain: one row an input of `inputs` that extraction has not read under this fingerprint. Parameters: $fingerprint
select inputs.* from inputs
where input_id not in (select input_id from extraction where fingerprint = $fingerprint)
order by input_id
