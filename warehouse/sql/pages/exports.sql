-- Grain: one row an export folder of a release. For snapshots. Parameters: $release
select release_id, format, path, max(written_at) as written_at from exports
where release_id = $release group by all order by format
