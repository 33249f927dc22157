-- Writes the salt of a new database; an existing one stays. Parameters: $salt
insert into meta values ('salt', $salt) on conflict do nothing
