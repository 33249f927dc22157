-- Grain: one row an example or preference that screening, dedup and reviewers keep.
create or replace view candidate_example as
select * from judged_example where is_candidate
