-- Grain: one cell, where a configured input goes on. Parameters: $source, $input_key
select cursor from ingest_cursor where source = $source and input_key = $input_key
