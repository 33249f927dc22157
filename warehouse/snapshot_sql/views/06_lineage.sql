-- Grain: one row an example and release it went into (release is null when it is in none).
create or replace view lineage as
select
    examples.id, examples.source, examples.natural_key, examples.span, examples.extractor, examples.document_id,
    examples.unit_id, release_members.release_id, release_members.split,
    (select list(distinct path order by path) from exports where exports.release_id = release_members.release_id)
        as exports
from examples
left join release_members on release_members.example_id = examples.id
