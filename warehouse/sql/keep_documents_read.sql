-- Remembers how many document versions were there when extraction had read all; run in its last transaction.
insert into meta select 'documents_read', count(*)::text from document
on conflict do update set value = excluded.value where meta.value <> excluded.value
