-- Grain: one row: which rows are held, and which of them had been screened before place $mark, each as their number and
-- the exclusive or of their hashes (so places that the database has dealt anew are noticed); how many were screened
-- since; and the place that comes next.
select
    count(*) || ':' || coalesce(bit_xor(hash(id)), 0) as held,
    count(*) filter (place < $mark) || ':' || coalesce(bit_xor(hash(id)) filter (place < $mark), 0) as held_before,
    count(*) filter (place >= $mark) as num_later,
    coalesce(max(place) + 1, 0) as next_place
from dedup_row
