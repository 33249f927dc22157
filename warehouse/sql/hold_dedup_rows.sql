-- Holds the candidates of dedup while the stage runs, with the place of their screening: what is screened later has a
-- higher place. This join is what dedup costs when nothing is new.
create or replace temporary table dedup_row as
select screening.example_id as id, screening.rowid as place
from screening
semi join (
    select example_id
    from extraction
    semi join current_input using (input_id)
    where fingerprint = (select fingerprint from stage where name = 'extract')
    union all
    select result_id from revision
) as live using (example_id)
anti join (
    select subject_id as example_id from current_verdict where not is_kept and stage in ('screen', 'review')
) as rejected using (example_id)
where screening.fingerprint = (select fingerprint from stage where name = 'screen')
