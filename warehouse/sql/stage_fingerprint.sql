-- Grain: one cell, the fingerprint under which a stage's rows are current. Parameters: $stage
select fingerprint from stage where name = $stage
