-- Grain: one row a kept example (preferences are in `preferences`). Prompt and answer are the last user turn and
-- the last assistant turn; messages holds the whole conversation as JSON.
create or replace view corpus as
select
    id, source, kind, category, role, language, split, messages, prompt,
    messages->>'$[#-1].content' as answer,
    quality, tokens, licence, permission, url, created_at, natural_key, span, extractor, category_basis,
    confidence as category_confidence
from examples
where is_in_corpus and not is_preference
