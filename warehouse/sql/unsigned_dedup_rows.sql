-- Grain: one row a held candidate screened at place $mark or later whose text is not signed. Parameters: $fingerprint
with later as materialized (
    select id from dedup_row where place >= $mark
),
signed as materialized (
    select example_id as id from signature semi join later on later.id = signature.example_id
    where fingerprint = $fingerprint
)
select id from later anti join signed using (id) order by id
