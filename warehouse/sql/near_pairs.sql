-- Grain: one row a pair of near-duplicate texts. Parameters: $fingerprint
select left_hash, right_hash, similarity from near_pair where fingerprint = $fingerprint
order by left_hash, right_hash
