-- Grain: one row a source: documents, examples, kept, refused.
create or replace view sources as
with seen as (
    select source, count(*) filter (is_current) as documents, count(distinct licence) as licences,
        min(fetched_at) as first_fetched, max(fetched_at) as last_fetched
    from documents group by source
),
made as (select source, count(*) as examples from examples group by source),
kept as (select source, count(*) as kept, sum(tokens) as kept_tokens from corpus group by source),
refused as (select source, count(*) as refused_input from rejections group by source)
select source, documents, coalesce(examples, 0) as examples, coalesce(kept, 0) as kept,
    coalesce(kept_tokens, 0) as kept_tokens, coalesce(refused_input, 0) as refused_input, licences,
    first_fetched, last_fetched
from seen
full join made using (source) full join kept using (source) full join refused using (source)
order by source
