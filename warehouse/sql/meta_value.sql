-- Grain: one cell, the value of a setting. Parameters: $key
select value from meta where key = $key
