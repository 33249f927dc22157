-- Grain: one cell, the documents that curate has not read yet. For snapshots.
select documents from uncurated
