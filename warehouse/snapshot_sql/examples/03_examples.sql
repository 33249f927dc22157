-- Grain: one row a current example or preference, kept or not, with its text as screened.
create or replace table snapshot.examples as
select
    screened_example.id, document_id, document_ids, extractor, span, unit_keys, screened_example.metadata,
    messages, screened_example.rejected is not null as is_preference, language, tokens, quality,
    current_label.category, current_label.confidence, current_label.basis as category_basis,
    current_label.evidence, current_label.role, unit.unit_id, unit.unit_size, ledger.split,
    coalesce(screened_example.url, document.url) as url, document.source, document.natural_key
from screened_example
join document on document.id = screened_example.document_id
left join current_label on current_label.example_id = screened_example.id
left join unit on unit.example_id = screened_example.id
left join (select key, split from split_ledger where key_kind = 'example') as ledger
    on ledger.key = screened_example.id
order by screened_example.id
