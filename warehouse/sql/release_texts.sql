-- Grain: one row a member of a release with its text and keys. Parameters: $release_id, $screen_fingerprint
select example.id, coalesce(screening.messages, example.messages) as messages,
    coalesce(screening.rejected, example.rejected) as rejected, example.unit_keys,
    release_member.split, release_member.unit_id
from release_member
join example on example.id = release_member.example_id
join screening on screening.example_id = example.id and screening.fingerprint = $screen_fingerprint
where release_member.release_id = $release_id
order by example.id
