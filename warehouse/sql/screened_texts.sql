-- Grain: one row a screened example, kept or not, with what dedup and the units need.
select
    screened_example.id, messages, rejected, unit_keys, quality, document.source, screened_example.metadata,
    screened_example.extractor,
    screened_example.id not in (
        select subject_id from current_verdict where not is_kept and stage in ('screen', 'review')
    ) as is_candidate
from screened_example
join document on document.id = screened_example.document_id
order by screened_example.id
