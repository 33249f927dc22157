-- Grain: one row a text with a stored signature (one example speaks for equal texts). Parameters: $fingerprint
select text_hash, any_value(signature) as signature, min(example_id) as example_id
from signature where fingerprint = $fingerprint and text_hash <> 0
group by text_hash order by text_hash
