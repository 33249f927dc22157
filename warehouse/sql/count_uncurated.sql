-- Grain: one cell, the documents that curate has not read yet.
select documents from uncurated_document
