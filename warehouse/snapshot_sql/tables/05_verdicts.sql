-- Grain: one row a current decision or flag.
create table snapshot.verdicts as select * from current_verdict order by subject_id, stage, reason
