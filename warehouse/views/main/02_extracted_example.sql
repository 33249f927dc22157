-- Grain: one row an example or preference that today's documents give under today's extractors.
create or replace view extracted_example as
select example.* from example
where example.id in (
    select extraction.example_id
    from extraction
    join current_input using (input_id)
    join stage on stage.name = 'extract' and stage.fingerprint = extraction.fingerprint
)
