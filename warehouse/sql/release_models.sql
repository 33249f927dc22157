-- Grain: one row a model that was trained on a release, with its metrics (JSON). For snapshots. Parameters: $release
select id, recipe, base, metrics, is_withdrawn from adapters where release_id = $release order by made_at, id
