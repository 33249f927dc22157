-- Logs the examples of `incoming` under an extract fingerprint, once. Parameters: $fingerprint
insert into extraction
select distinct incoming.input_id, $fingerprint, incoming.id from incoming
where not exists (
    select 1 from extraction
    where extraction.input_id = incoming.input_id and extraction.fingerprint = $fingerprint
        and extraction.example_id = incoming.id
)
