-- Grain: one row an example that screening keeps and that has words. Equal hashes: the same words in the same order.
create or replace table snapshot.text_hashes as
select signature.example_id, signature.text_hash
from signature
join stage on stage.name = 'dedup_texts' and stage.fingerprint = signature.fingerprint
where signature.text_hash <> 0
    and signature.example_id in (select id from snapshot.examples)
    and signature.example_id not in (
        select subject_id from snapshot.verdicts where not is_kept and stage in ('screen', 'review')
    )
order by signature.example_id
