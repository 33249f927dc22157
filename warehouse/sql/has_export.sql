-- Grain: one cell, whether an export is on record. Parameters: $release_id, $path
select count(*) > 0 from export where release_id = $release_id and path = $path
