-- Grain: one row a source (for files: the folder or dataset) of which no example is kept, with its three most frequent reasons.
-- For snapshots.
with input as (
    select
        id, source,
        case
            when source = 'dataset' then split_part(natural_key, '#', 1)
            when source in ('documents', 'markdown', 'transcripts') and contains(natural_key, '/')
                then split_part(natural_key, '/', 1)
            else ''
        end as root
    from documents where is_current
),
kept as (select id from corpus union all select id from preferences),
barren as (
    select input.source, root, count(distinct input.id) as documents, count(distinct examples.id) as examples
    from input
    left join examples on examples.document_id = input.id
    left join kept on kept.id = examples.id
    group by input.source, root
    having count(kept.id) = 0
),
subject as (
    select input.id, source, root from input join barren using (source, root)
    union
    select examples.id, input.source, root from input join barren using (source, root)
    join examples on examples.document_id = input.id
),
reason as (
    select source, root, reason, count(*) as rows
    from verdicts join subject on subject.id = verdicts.subject_id
    where not is_kept
    group by source, root, reason
)
select
    source, root, documents, examples,
    coalesce(list(reason || ' ' || rows order by rows desc, reason) filter (reason is not null), [])[:3] as reasons
from barren left join reason using (source, root)
group by source, root, documents, examples
order by source, root
