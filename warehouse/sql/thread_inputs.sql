-- Grain: one row a thread of current posts and comments, with its documents in order of id.
select
    json_extract_string(metadata, '$.thread') as thread,
    list(id order by id) as document_ids
from current_document
where kind in ('post', 'comment')
group by thread
order by thread
