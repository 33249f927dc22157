-- Grain: one row an example that is not kept. For snapshots.
select examples.id, examples.messages from examples
where examples.id in (select subject_id from verdicts where not is_kept and stage <> 'balance') order by examples.id
