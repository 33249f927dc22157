-- Grain: one row a member named in `members` (example_id, split, unit_id) with its text and keys.
-- Parameters: $screen_fingerprint
select example.id, coalesce(screening.messages, example.messages) as messages,
    coalesce(screening.rejected, example.rejected) as rejected, example.unit_keys, members.split, members.unit_id
from members
join example on example.id = members.example_id
join screening on screening.example_id = example.id and screening.fingerprint = $screen_fingerprint
order by example.id
