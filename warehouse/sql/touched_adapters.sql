-- Grain: one row a model that was trained on an example named in `doomed_examples`.
select adapter.id, adapter.path,
    (select list(distinct deployment.path order by deployment.path) from deployment
        where deployment.adapter_id = adapter.id) as deployments
from adapter
where adapter.id in (
    select adapter_id from adapter_member where example_id in (select id from doomed_examples)
)
order by adapter.id
