-- Adds the pairs of `incoming` that are not yet there. Parameters: $fingerprint
insert into near_pair
select $fingerprint, incoming.left_hash, incoming.right_hash, incoming.similarity from incoming
anti join (select left_hash, right_hash from near_pair where fingerprint = $fingerprint) as known
    using (left_hash, right_hash)
