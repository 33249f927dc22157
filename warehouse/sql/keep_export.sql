-- Stores that an export was written. Parameters: $release_id, $format, $path, $manifest
insert into export values ($release_id, $format, $path, $manifest, now())
