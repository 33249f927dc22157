-- Grain: one row a member of a cluster, the representative first. For snapshots. Parameters: $cluster, $limit
select id, is_representative, similarity, source, natural_key, prompt, answer from duplicates
where cluster_id = $cluster
order by is_representative desc, similarity desc, id limit $limit
