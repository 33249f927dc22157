-- Grain: one row a held candidate of dedup that is signed. Parameters: $fingerprint
select signature.example_id as id, text_hash, size, answer_hash, question_hash
from signature
join dedup_row on dedup_row.id = signature.example_id
where fingerprint = $fingerprint
