-- Grain: one row a kept example of a release's split, with where it comes from. For snapshots.
-- Parameters: $release_id, $split
select corpus.id, corpus.messages, corpus.category, corpus.role, corpus.source, corpus.natural_key, corpus.span, corpus.url
from corpus
join release_members on release_members.example_id = corpus.id
where release_members.release_id = $release_id and release_members.split = $split
order by corpus.id
