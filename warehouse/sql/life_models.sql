-- Grain: one row a model that was trained on an example, with its deployments. For snapshots. Parameters: $id
select adapters.id, adapters.recipe, adapters.release_id, adapters.path, adapters.is_withdrawn,
    (select list(distinct path order by path) from deployments where deployments.adapter_id = adapters.id)
        as deployments
from adapter_members join adapters on adapters.id = adapter_members.adapter_id
where adapter_members.example_id = $id
order by adapters.made_at
