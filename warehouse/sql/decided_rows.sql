-- Grain: one row a subject of a decision with the current row that it means: the one with the same id or, under the
-- same natural key, with the same text (exact_id), or else the only one in the same place (place_id).
with subject as (
    select example.id, example.document_id, example.extractor, example.span, example.messages, example.rejected,
        document.source, document.natural_key
    from example
    join document on document.id = example.document_id
    where example.id in (select subject_id from decision)
),
present as (
    select extracted_example.*, document.source, document.natural_key
    from extracted_example
    join document on document.id = extracted_example.document_id
    where (document.source, document.natural_key) in (select (source, natural_key) from subject)
),
paired as (
    select subject.id as subject_id, present.id,
        present.messages = subject.messages and present.rejected is not distinct from subject.rejected as is_same_text,
        present.document_id = subject.document_id and present.extractor = subject.extractor
            and present.span = subject.span as is_same_place
    from subject join present using (source, natural_key)
)
select
    subject_id,
    coalesce(min(id) filter (id = subject_id), min(id) filter (is_same_text)) as exact_id,
    case when count(*) filter (is_same_place) = 1 then min(id) filter (is_same_place) end as place_id
from paired
where id = subject_id or is_same_text or is_same_place
group by subject_id
order by subject_id
