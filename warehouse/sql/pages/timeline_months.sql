-- Grain: one row a source and month (of writing; of fetching where that is unknown). For snapshots.
-- Moments are UTC: without their zone, and written out once a month, they take a fifth of the time.
select source, strftime(month, '%Y-%m') as month, documents
from (
    select
        source,
        date_trunc('month', make_timestamp(epoch_us(coalesce(created_at, fetched_at)))) as month,
        count(*) as documents
    from documents where is_current
    group by all
)
order by month, source
