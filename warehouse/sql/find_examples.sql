-- Grain: one row an example whose id starts with a text. For snapshots. Parameters: $prefix
select examples.*, documents.fetched_at, documents.basis, documents.attribution
from examples join documents on documents.id = examples.document_id
where starts_with(examples.id, $prefix) order by examples.id limit 3
