-- Grain: one cell, whether rows of this dedup fingerprint are stored. Parameters: $fingerprint
select count(*) > 0 from verdict where stage = 'dedup' and fingerprint = $fingerprint
