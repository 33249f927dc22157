-- Grain: one row a source and month (of writing; of fetching where that is unknown). For snapshots.
select source, strftime(coalesce(created_at, fetched_at), '%Y-%m') as month, count(*) as documents
from documents where is_current
group by all order by month, source
