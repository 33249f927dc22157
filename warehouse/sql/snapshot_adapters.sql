-- Grain: one row a trained model, the newest first. For snapshots.
select id, release_id, base, coach_role, path, is_withdrawn from adapters order by made_at desc, id
