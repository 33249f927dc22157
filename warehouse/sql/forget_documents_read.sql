-- Takes the documents of `doomed` from those that extraction has read; run before they are deleted.
update meta
set value = greatest(0, value::bigint - (select count(*) from document where id in (select id from doomed)))::text
where key = 'documents_read'
