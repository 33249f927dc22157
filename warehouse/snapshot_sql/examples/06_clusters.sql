-- Grain: one row a member of a cluster of near-duplicates.
create or replace table snapshot.clusters as
select cluster.cluster_id, cluster.example_id, cluster.representative_id, cluster.similarity
from cluster join stage on stage.name = 'dedup' and stage.fingerprint = cluster.fingerprint
order by cluster.cluster_id, cluster.example_id
