-- Grain: one row an example that screening keeps. For snapshots.
select id, messages, quality, source, metadata, null::text as rejected from examples
where id not in (select subject_id from verdicts where not is_kept and stage in ('screen', 'review'))
order by id
