-- Where rows came from and which release they went into
select source, natural_key, extractor, release_id, split, count(*) as rows
from lineage group by all order by source, natural_key limit 200
