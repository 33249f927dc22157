-- Grain: one row an example or preference that screening, dedup and reviewers keep, with its category (null:
-- uncategorised); those that balance withholds are among them, those that dedup has not compared yet (curate was
-- killed before) are not.
create or replace view candidate_example as
select
    screened_example.* replace (
        current_label.category as category,
        current_label.role as role,
        current_label.basis as category_basis
    ),
    current_label.confidence as category_confidence,
    document.source,
    document.kind,
    document.natural_key,
    document.created_at,
    document.licence,
    document.basis,
    document.permission,
    document.attribution
from screened_example
join current_label on current_label.example_id = screened_example.id
join document on document.id = screened_example.document_id
where screened_example.id not in (
    select subject_id from current_verdict where not is_kept and stage in ('screen', 'dedup', 'review')
)
and (
    screened_example.id in (
        select signature.example_id
        from signature
        join stage on stage.name = 'dedup_texts' and stage.fingerprint = signature.fingerprint
    )
    -- Files of an earlier curator do not say under which fingerprint their texts are signed.
    or (exists (from stage where name = 'dedup') and not exists (from stage where name = 'dedup_texts'))
)
