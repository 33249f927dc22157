-- Grain: one row an example whose id starts with a text. For snapshots. Parameters: $prefix
select examples.*, documents.kind, documents.fetched_at, documents.created_at, documents.licence, documents.basis,
    documents.permission, documents.attribution
from examples join documents on documents.id = examples.document_id
where starts_with(examples.id, $prefix) order by examples.id limit 3
