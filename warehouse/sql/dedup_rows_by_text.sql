-- Grain: one row a held candidate with a text hash of `wanted`. Parameters: $fingerprint
select example_id as id, text_hash, size, answer_hash, question_hash
from signature
semi join wanted using (text_hash)
semi join dedup_row on dedup_row.id = signature.example_id
where fingerprint = $fingerprint
