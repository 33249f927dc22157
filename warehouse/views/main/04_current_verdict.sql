-- Grain: one row a decision of a stage under its current fingerprint (reviews are always current). A near-duplicate
-- that a person has accepted is kept beside the row that it resembles.
create or replace view current_verdict as
select verdict.* replace (
    verdict.is_kept or (
        verdict.stage = 'dedup' and verdict.reason = 'near_duplicate' and verdict.subject_id in (
            select subject_id from verdict where stage = 'review' and reason = 'accepted'
        )
    ) as is_kept
)
from verdict
left join stage on stage.name = verdict.stage
where verdict.stage = 'review' or verdict.fingerprint = stage.fingerprint
