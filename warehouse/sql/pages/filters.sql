-- Grain: one row a value that rows can be filtered by, the most frequent first. For snapshots.
select 'source' as field, source as value, count(*) as rows from examples group by source
union all
select 'category', coalesce(category, 'uncategorised'), count(*) from examples group by category
union all
select 'split', coalesce(split, 'none'), count(*) from examples group by split
union all
select 'language', language, count(*) from examples where language is not null group by language
union all
select 'licence', licence, count(*) from documents where licence is not null group by licence
union all
select 'verdict', reason, count(*) from verdicts
where not is_kept and subject_id in (select id from examples) group by reason
order by field, rows desc, value
