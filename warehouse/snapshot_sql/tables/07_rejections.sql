-- Grain: one row a piece of input that could not become a document.
create or replace table snapshot.rejections as select * from rejection order by source, location, reason
