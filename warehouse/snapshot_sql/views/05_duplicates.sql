-- Grain: one row a member of a cluster of near-duplicates; similarity is its true Jaccard to the representative.
create or replace view duplicates as
select
    clusters.cluster_id, clusters.example_id as id, clusters.representative_id,
    clusters.example_id = clusters.representative_id as is_representative,
    round(clusters.similarity, 4) as similarity, examples.source, examples.natural_key,
    prompt, messages->>'$[#-1].content' as answer
from clusters join examples on examples.id = clusters.example_id
order by cluster_id, is_representative desc, id
