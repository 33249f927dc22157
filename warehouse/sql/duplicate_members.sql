-- Grain: one row a member of one of the largest clusters. For snapshots. Parameters: $limit
select duplicates.* from duplicates
join (
    select cluster_id, count(*) as members from duplicates group by cluster_id
    order by members desc, cluster_id limit $limit
) as largest using (cluster_id)
order by members desc, cluster_id, is_representative desc, similarity desc, id
