-- Grain: one row a candidate of dedup with everything but its text. Parameters: $fingerprint
select
    screened_example.id, signature.text_hash, signature.size, signature.answer_hash, signature.question_hash,
    screened_example.quality, document.source, json_extract_string(screened_example.metadata, '$.rule') as rule
from screened_example
join signature on signature.example_id = screened_example.id and signature.fingerprint = $fingerprint
join document on document.id = screened_example.document_id
where screened_example.id not in (
    select subject_id from current_verdict where not is_kept and stage in ('screen', 'review')
)
order by screened_example.id
