-- Grain: one row a word, with the share of rows that have it, the rarest first. For snapshots. Rows lie in the order of
-- their ids, which are hashes: the first of them are a fair sample.
-- Parameters: $words (lower case), $rows (of the sample)
select word, avg(contains(lower(messages), word)::integer) as share
from (select messages from examples limit $rows), (select unnest($words::text[]) as word)
group by word order by share, word
