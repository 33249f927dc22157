-- Grain: one row a model that was trained: an adapter, or all weights.
create or replace table snapshot.adapters as
select id, release_id, recipe, method, base, base_revision, coach_role, path, metrics, is_withdrawn, made_at
from adapter order by made_at, id
