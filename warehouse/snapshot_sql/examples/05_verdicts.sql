-- Grain: one row a current decision or flag about a row that is there; what was decided of rows that have given way (a
-- newer version of a document, a late reply) is left out.
create or replace table snapshot.verdicts as
select *
from current_verdict
where subject_id in (select id from snapshot.examples) or subject_id in (select id from snapshot.documents)
order by subject_id, stage, reason
