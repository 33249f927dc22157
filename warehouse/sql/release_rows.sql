-- Grain: one row a member of a release as it was when frozen (the fingerprint is in the release's lock). Its role is
-- the one that its source states. Parameters: $release_id, $screen_fingerprint
select
    release_member.split, release_member.category, release_member.unit_id,
    example.id,
    coalesce(screening.messages, example.messages) as messages,
    coalesce(screening.rejected, example.rejected) as rejected,
    screening.language, screening.tokens, screening.quality, example.metadata, example.span, example.role,
    coalesce(example.url, document.url) as url,
    document.source, document.natural_key, document.licence, document.basis, document.permission,
    document.attribution
from release_member
join example on example.id = release_member.example_id
join document on document.id = example.document_id
join screening on screening.example_id = example.id and screening.fingerprint = $screen_fingerprint
where release_member.release_id = $release_id
order by release_member.split, example.id
