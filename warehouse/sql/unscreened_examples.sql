-- Grain: one row a current example that screening has not seen under this fingerprint. Parameters: $fingerprint
select id from current_example
where id not in (select example_id from screening where fingerprint = $fingerprint)
order by id
