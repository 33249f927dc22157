-- Grain: one row, the number of documents that `curator curate` has not read yet.
create or replace table snapshot.uncurated as select documents from uncurated_document
