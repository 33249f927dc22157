-- Grain: one row, the cluster that an example is in, and its size. For snapshots. Parameters: $id
select cluster_id, count(*) as members from clusters
where cluster_id in (select cluster_id from clusters where example_id = $id) group by cluster_id
