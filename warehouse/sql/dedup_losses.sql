-- Grain: one row a source, with its held candidates and how many of them are gone as copies of others.
select
    document.source, count(*) as num_rows,
    count(*) filter (dedup_row.id in (
        select subject_id from verdict
        where stage = 'dedup' and fingerprint = $fingerprint and reason <> 'answer_collapse'
    )) as num_removed
from dedup_row
join example using (id)
join document on document.id = example.document_id
group by document.source
order by document.source
