-- Grain: one row an example named in `wanted`, with what decides which of several duplicates stays.
select example.id, screening.quality, document.source, json_extract_string(example.metadata, '$.rule') as rule
from wanted
join example on example.id = wanted.id
join screening on screening.example_id = wanted.id
join stage on stage.name = 'screen' and stage.fingerprint = screening.fingerprint
join document on document.id = example.document_id
