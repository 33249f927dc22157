-- Stores a finished training run; a run of the same id takes the place of the older one.
-- Parameters: $id, $release_id, $recipe, $recipe_sha256, $method, $base, $base_revision, $coach_role, $path, $metrics,
-- $report
insert or replace into adapter values (
    $id, $release_id, $recipe, $recipe_sha256, $method, $base, $base_revision, $coach_role, $path, $metrics, $report,
    coalesce((select is_withdrawn from release where release.id = $release_id), false), now()
)
