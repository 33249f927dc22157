-- Grain: one row a member of a release. Parameters: $release_id
select example_id, split, category, unit_id from release_member where release_id = $release_id order by example_id
