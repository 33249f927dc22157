-- Grain: one row a held candidate with an answer hash of `wanted` that more than $max_rows have.
-- Parameters: $fingerprint
select example_id as id, text_hash, size, answer_hash, question_hash
from signature
semi join wanted using (answer_hash)
semi join dedup_row on dedup_row.id = signature.example_id
where fingerprint = $fingerprint
qualify count(*) over (partition by answer_hash) > $max_rows
