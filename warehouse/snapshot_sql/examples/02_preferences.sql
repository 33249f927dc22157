-- Grain: one row a kept preference: the shared prompt, the chosen and the rejected answer.
create or replace table snapshot.preferences as
select
    kept_example.id, source, kept_example.category, language, ledger.split,
    messages, messages->'$[#-1]'->>'$.content' as chosen, rejected->'$[0]'->>'$.content' as rejected,
    quality, tokens, licence, permission, coalesce(url, document_url) as url
from kept_example
left join (select key, split from split_ledger where key_kind = 'example') as ledger on ledger.key = kept_example.id
where rejected is not null
order by kept_example.id
