-- Grain: one row a member of the cluster that an example is in. For snapshots. Parameters: $id
select id, is_representative, similarity, source, natural_key from duplicates
where cluster_id in (select cluster_id from duplicates where id = $id)
order by is_representative desc, similarity desc, id limit 20
