-- Grain: one row an example or preference that no stage has rejected, with its category (null: uncategorised).
create or replace view kept_example as
select * from candidate_example
where id not in (select subject_id from current_verdict where not is_kept and stage = 'split')
