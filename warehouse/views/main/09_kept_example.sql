-- Grain: one row an example or preference that no stage has rejected.
create or replace view kept_example as
select * from judged_example where is_candidate and not is_withheld
