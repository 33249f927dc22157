-- Grain: one row a kept example (preferences are in `preferences`). Prompt and answer are the last user turn and
-- the last assistant turn; messages holds the whole conversation as JSON.
create or replace table snapshot.corpus as
with turns as (
    select
        *,
        messages->'$[#-1]' as last_turn,
        messages->'$[#-2]' as turn_before
    from kept_example
    where rejected is null
)
select
    turns.id, source, kind, turns.category, role, language,
    ledger.split,
    messages,
    trim(concat_ws(chr(10) || chr(10), turn_before->>'$.content', turn_before->>'$.input')) as prompt,
    last_turn->>'$.content' as answer,
    quality, tokens, licence, permission,
    url, created_at, natural_key, span, extractor, category_basis, category_confidence
from turns
left join (select key, split from split_ledger where key_kind = 'example') as ledger on ledger.key = turns.id
order by turns.id
