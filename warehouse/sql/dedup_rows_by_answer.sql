-- Grain: one row a held candidate with an answer hash of `wanted` that more than $max_rows have.
select id, text_hash, size, answer_hash, question_hash
from dedup_row
semi join wanted using (answer_hash)
qualify count(*) over (partition by answer_hash) > $max_rows
