-- Grain: one row a decision of a person that stands.
select subject_id, is_kept, reason, score, threshold, partner, detail from verdict where stage = 'review'
order by subject_id, reason, partner
