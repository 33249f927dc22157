-- Grain: one row, the counts of the funnel. For snapshots.
select
    (select count(*) from documents where is_current) as documents,
    (select count(*) from rejections) as refused_input,
    (select count(*) from examples where not is_preference) as examples,
    (select count(*) from examples where is_preference) as preferences,
    (select count(distinct subject_id) from verdicts where stage in ('screen', 'review', 'split') and not is_kept
        and subject_id in (select id from examples)) as rejected,
    (select count(distinct subject_id) from verdicts where stage = 'dedup' and not is_kept) as duplicates,
    (select count(*) from corpus) as kept,
    (select count(*) from corpus where category is not null) as categorised,
    (select count(*) from release_members where example_id not in (select id from preferences)
        and release_id = (select id from releases order by sequence desc limit 1)) as released
