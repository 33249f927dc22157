-- Grain: one row an example: its last question and answer. For snapshots. Parameters: $id
select messages->'$[#-2]'->>'$.content' as prompt, messages->'$[#-1]'->>'$.content' as answer
from examples where id = $id
