-- Grain: one row an example or preference that balance may take; is_flagged: a safety flag that no reviewer has lifted.
select
    candidate_example.id, category, rejected, source, licence, quality, author_hash, unit_keys,
    candidate_example.id in (select subject_id from current_verdict where is_kept and starts_with(reason, 'flag:'))
        and candidate_example.id not in (select subject_id from current_verdict where stage = 'review' and reason = 'accepted')
        as is_flagged
from candidate_example
order by candidate_example.id
