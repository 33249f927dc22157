-- Grain: one row a current document that the LLM step may read. Parameters: $book_source
select * from current_document
where kind = 'transcript' or (kind = 'page' and source = $book_source)
order by id
