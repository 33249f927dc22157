-- Grain: one row an example with a stored signature and at least one word. Parameters: $fingerprint
select example_id, text_hash from signature where fingerprint = $fingerprint and text_hash <> 0
