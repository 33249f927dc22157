-- Grain: one row a current example or preference, kept (`is_in_corpus`, in `corpus` or `preferences`) or not, with its
-- text as screened.
create or replace table snapshot.examples as
select
    judged_example.id, document_id, document_ids, extractor, span, unit_keys, metadata, messages,
    trim(concat_ws(chr(10) || chr(10), messages->>'$[#-2].content', messages->>'$[#-2].input')) as prompt,
    rejected is not null as is_preference, is_candidate and not is_withheld as is_in_corpus,
    language, tokens, quality,
    category, category_confidence as confidence, category_basis, category_evidence as evidence, role,
    unit.unit_id, unit.unit_size, ledger.split,
    coalesce(url, document_url) as url, source, kind, natural_key, created_at, licence, permission
from judged_example
left join unit on unit.example_id = judged_example.id
left join (select key, split from split_ledger where key_kind = 'example') as ledger
    on ledger.key = judged_example.id
order by judged_example.id
