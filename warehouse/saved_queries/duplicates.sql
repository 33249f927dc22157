-- The largest clusters of near-duplicates
select cluster_id, count(*) as rows, count(distinct source) as sources, round(min(similarity), 3) as least_similar,
    any_value(prompt order by is_representative desc) as prompt
from duplicates group by cluster_id order by rows desc, cluster_id limit 50
