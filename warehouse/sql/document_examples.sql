-- Grain: one row an example of a document. For snapshots. Parameters: $id
select id, span, extractor, split, messages->'$[0]'->>'$.content' as prompt from examples
where list_contains(document_ids, $id) order by id
