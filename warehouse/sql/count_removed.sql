-- Grain: one cell, how many rows dedup has removed under its current fingerprint.
select count(*) from current_verdict where stage = 'dedup' and not is_kept
