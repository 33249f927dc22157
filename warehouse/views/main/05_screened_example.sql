-- Grain: one row an example that screening has seen, kept or not, with its text as cleaned.
create or replace view screened_example as
select
    current_example.* replace (
        coalesce(screening.messages, current_example.messages) as messages,
        coalesce(screening.rejected, current_example.rejected) as rejected,
        screening.language as language
    ),
    screening.tokens,
    screening.quality
from current_example
join stage on stage.name = 'screen'
join screening on screening.example_id = current_example.id and screening.fingerprint = stage.fingerprint
