-- Grain: one row a held candidate of dedup.
select id, text_hash, size, answer_hash, question_hash from dedup_row
