-- Takes the documents of `doomed` from those that extraction has read; run before they are deleted. Unread is what would
-- be an input by itself and is none yet; of what is read together (threads, events) nothing tells it.
update meta
set value = greatest(0, value::bigint - (
    select count(*) from document
    where id in (select id from doomed) and (
        kind in ('post', 'comment', 'event')
        or id not in (select id from current_document)
        or id in (select input_id from current_input)
    )
))::text
where key = 'documents_read'
