-- Grain: one row an example and a model that was trained on it.
create or replace table snapshot.adapter_members as
select adapter_id, example_id from adapter_member order by adapter_id, example_id
