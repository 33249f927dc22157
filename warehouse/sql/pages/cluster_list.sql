-- Grain: one row a cluster of near-duplicates, the largest first. For snapshots. Parameters: $source, $limit, $offset
with sized as (
    select clusters.cluster_id, any_value(representative_id) as representative_id, count(*) as members,
        min(similarity) filter (example_id <> representative_id) as least_similar,
        list(distinct examples.source order by examples.source) as sources
    from clusters join examples on examples.id = clusters.example_id
    group by clusters.cluster_id
)
select sized.*, examples.messages->'$[#-2]'->>'$.content' as prompt, examples.language
from sized join examples on examples.id = sized.representative_id
where $source::text is null or list_contains(sources, $source::text)
order by members desc, cluster_id limit $limit offset $offset
