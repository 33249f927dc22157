-- Grain: one row an example of `wanted` that is gone as a copy of another one.
select subject_id as id from verdict
where stage = 'dedup' and reason <> 'answer_collapse' and subject_id in (select id from wanted)
