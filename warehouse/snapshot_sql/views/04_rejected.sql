-- Grain: one row a reason for which something is not in the corpus: damaged input (stage ingest), a document that
-- gave no example (extract), an example that a stage rejected.
create or replace view rejected as
select 'ingest' as stage, reason, location as subject, source, detail, null::double as score,
    null::double as threshold, null as partner, null as prompt
from rejections
union all
select verdicts.stage, verdicts.reason, subject_id, coalesce(examples.source, documents.source), verdicts.detail,
    verdicts.score, verdicts.threshold, verdicts.partner, examples.messages->'$[0]'->>'$.content'
from verdicts
left join examples on examples.id = verdicts.subject_id
left join documents on documents.id = verdicts.subject_id
where not verdicts.is_kept
