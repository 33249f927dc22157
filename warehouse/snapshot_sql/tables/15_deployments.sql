-- Grain: one row a file or endpoint that a trained model was deployed as.
create or replace table snapshot.deployments as
select id, adapter_id, quantisation, path, endpoint, parity, made_at from deployment order by made_at, id
