-- Grain: one row a size of clusters: how many there are and how many rows they remove. For snapshots.
with sized as (select cluster_id, count(*) as members from clusters group by cluster_id)
select members, count(*) as clusters, sum(members - 1)::bigint as removed from sized group by members order by members
