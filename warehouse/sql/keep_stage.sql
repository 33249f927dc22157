-- Parameters: $stage, $fingerprint
insert into stage values ($stage, $fingerprint) on conflict do update set fingerprint = excluded.fingerprint
