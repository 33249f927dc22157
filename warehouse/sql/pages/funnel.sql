-- Grain: one row a figure of the funnel, in the order of the way. For snapshots.
select 1 as place, 'documents' as figure, count(*) as rows from documents where is_current
union all select 2, 'examples', count(*) from examples where not is_preference
union all select 3, 'rejected', count(distinct subject_id) from verdicts
    where not is_kept and stage in ('screen', 'review', 'split', 'decontaminate')
        and subject_id in (select id from examples)
union all select 4, 'duplicates', count(distinct subject_id) from verdicts where stage = 'dedup' and not is_kept
union all select 5, 'kept', count(*) from corpus
union all select 6, 'released', count(*) from release_members
    where release_id = (select id from releases order by sequence desc limit 1)
        and example_id not in (select id from preferences)
order by place
