-- Grain: one row, which rows are held and which of them are signed, each as their number and the exclusive or of their
-- hashes; and the ids of the others.
select
    count(*) || ':' || coalesce(bit_xor(md5_number(id)), 0) as held,
    count(text_hash) || ':' || coalesce(bit_xor(md5_number(id)) filter (text_hash is not null), 0) as signed,
    list(id order by id) filter (text_hash is null) as pending
from dedup_row
