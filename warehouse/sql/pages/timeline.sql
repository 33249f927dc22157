-- Grain: one row a source and year (of writing; of fetching where that is unknown). For snapshots.
-- Moments are UTC: without their zone they are cut to years three times as fast.
select source, year(make_timestamp(epoch_us(coalesce(created_at, fetched_at)))) as year, count(*) as documents
from documents where is_current
group by all order by year, source
