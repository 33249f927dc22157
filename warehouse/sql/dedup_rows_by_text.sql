-- Grain: one row a held candidate with a text hash of `wanted`.
select id, text_hash, size, answer_hash, question_hash from dedup_row semi join wanted using (text_hash)
