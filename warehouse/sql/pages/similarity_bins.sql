-- Grain: one row a step of 0.01 of similarity to the representative, among removed near-duplicates. For snapshots.
select least(floor(similarity * 100 + 1e-6), 100)::integer as hundredths, count(*) as rows
from clusters where example_id <> representative_id group by hundredths order by hundredths
