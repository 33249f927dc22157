-- Stores where a configured input goes on. Parameters: $source, $input_key, $cursor, $now
insert into ingest_cursor values ($source, $input_key, $cursor, $now)
on conflict do update set cursor = excluded.cursor, updated_at = excluded.updated_at
