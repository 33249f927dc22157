-- Grain: one row an example or preference that screening has seen, with its document, its category (null: none yet, or
-- uncategorised), and whether it stands. is_candidate: screening, dedup and reviewers keep it; what dedup has not
-- compared yet (curate was killed before) is none. is_withheld: no split may have it (it would join two, or shares
-- wording with an evaluation case, or is feedback that is held back).
create or replace view judged_example as
select
    screened_example.* replace (
        current_label.category as category,
        current_label.role as role,
        current_label.basis as category_basis
    ),
    current_label.confidence as category_confidence,
    current_label.evidence as category_evidence,
    document.source,
    document.kind,
    document.natural_key,
    document.url as document_url,
    document.created_at,
    document.licence,
    document.basis,
    document.permission,
    document.attribution,
    current_label.example_id is not null
        and screened_example.id not in (
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
        ) as is_candidate,
    screened_example.id in (
        select subject_id from current_verdict where not is_kept and stage = 'split'
    ) as is_withheld
from screened_example
join document on document.id = screened_example.document_id
left join current_label on current_label.example_id = screened_example.id
