-- Grain: one row a decision about a subject. For snapshots. Parameters: $id
select stage, is_kept, reason, score, threshold, partner, detail from verdicts where subject_id = $id
order by stage, reason
