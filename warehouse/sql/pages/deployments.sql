-- Grain: one row a deployment, the newest first. For snapshots.
select deployments.*, adapters.recipe from deployments left join adapters on adapters.id = deployments.adapter_id
order by deployments.made_at desc, deployments.id
