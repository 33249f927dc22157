-- Grain: one row a source and year (of writing; of fetching where that is unknown). For snapshots.
select source, year(coalesce(created_at, fetched_at)) as year, count(*) as documents
from documents where is_current
group by all order by year, source
