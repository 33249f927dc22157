-- Grain: one row a source of removed near-duplicates and the source of what was kept instead. For snapshots.
select removed.source as removed_from, kept.source as kept_from, count(*) as rows,
    round(median(clusters.similarity), 3) as median_similarity
from clusters
join examples as removed on removed.id = clusters.example_id
join examples as kept on kept.id = clusters.representative_id
where clusters.example_id <> clusters.representative_id
group by all order by rows desc, removed_from, kept_from
