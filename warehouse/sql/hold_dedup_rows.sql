-- Holds the candidates of dedup and what is stored of their texts (nulls: not signed yet) while the stage runs: this
-- join is what dedup costs when nothing is new. Parameters: $fingerprint
create or replace temporary table dedup_row as
select
    screening.example_id as id, signature.text_hash, signature.size, signature.answer_hash, signature.question_hash
from screening
semi join (
    select example_id
    from extraction
    semi join current_input using (input_id)
    where fingerprint = (select fingerprint from stage where name = 'extract')
    union all
    select result_id from revision
) as live using (example_id)
anti join (
    select subject_id as example_id from current_verdict where not is_kept and stage in ('screen', 'review')
) as rejected using (example_id)
left join signature on signature.example_id = screening.example_id and signature.fingerprint = $fingerprint
where screening.fingerprint = (select fingerprint from stage where name = 'screen')
