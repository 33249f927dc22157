-- Grain: one row an example named in `wanted`, current or not, with its text as cleaned.
-- Parameters: $screen_fingerprint
select
    example.id,
    coalesce(screening.messages, example.messages) as messages,
    coalesce(screening.rejected, example.rejected) as rejected
from wanted
join example on example.id = wanted.id
join screening on screening.example_id = wanted.id and screening.fingerprint = $screen_fingerprint
