-- Grain: one row a trained model with the number of its rows, the newest first. For snapshots.
select adapters.*, (select count(*) from adapter_members where adapter_members.adapter_id = adapters.id) as rows
from adapters order by made_at desc, id
