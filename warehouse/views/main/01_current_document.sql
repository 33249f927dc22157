-- Grain: one row a (source, natural_key): the newest document of it.
create or replace view current_document as
select * from document
qualify row_number() over (partition by source, natural_key order by fetched_at desc, id desc) = 1
