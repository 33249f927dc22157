-- Remembers the newest snapshot and what made it. Parameters: $mark
insert into meta values ('snapshot', $mark)
on conflict do update set value = excluded.value
