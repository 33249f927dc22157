-- Grain: one row a decision of a stage under its current fingerprint (reviews are always current).
create or replace view current_verdict as
select verdict.* from verdict
left join stage on stage.name = verdict.stage
where verdict.stage = 'review' or verdict.fingerprint = stage.fingerprint
