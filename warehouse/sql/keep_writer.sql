-- Remembers which version wrote the database, for an older one that cannot read it. Parameters: $version
insert into meta values ('written_by', $version)
on conflict do update set value = excluded.value where meta.value <> excluded.value
