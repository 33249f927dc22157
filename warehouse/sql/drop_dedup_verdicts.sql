-- Takes back what was decided about the examples of `reopened`.
delete from verdict where stage = 'dedup' and subject_id in (select id from reopened)
