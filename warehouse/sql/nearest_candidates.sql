-- Grain: one row an example that has at least one of some words, those with most of them first. For snapshots.
-- Parameters: $pattern (RE2, any of the words), $words (lower case), $limit
select id, messages
from examples
where regexp_matches(messages, $pattern)
order by len(list_filter($words, lambda word: contains(lower(messages), word))) desc, id
limit $limit
