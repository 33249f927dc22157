-- Fills in what `incoming` knows of the texts that were not signed.
update dedup_row
set text_hash = incoming.text_hash, size = incoming.size,
    answer_hash = incoming.answer_hash, question_hash = incoming.question_hash
from incoming
where dedup_row.id = incoming.example_id
