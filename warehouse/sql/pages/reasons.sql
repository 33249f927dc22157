-- Grain: one row a stage and reason for which something is not in the corpus. For snapshots.
with counted as (
    select stage, reason, count(*) as rows from verdicts where not is_kept group by all
    union all
    select 'ingest', reason, count(*) from rejections group by all
)
select stage, reason, rows from counted order by rows desc, stage, reason
