-- Grain: one row a release that holds an example named in `doomed_examples`.
select distinct release_id from release_member where example_id in (select id from doomed_examples) order by release_id
