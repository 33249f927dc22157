-- Grain: one row a kept example or preference; is_flagged: a safety flag that no reviewer has lifted.
select
    kept_example.*,
    kept_example.id in (select subject_id from current_verdict where is_kept and starts_with(reason, 'flag:'))
        and kept_example.id not in (select subject_id from current_verdict where stage = 'review' and reason = 'accepted')
        as is_flagged
from kept_example
order by kept_example.id
