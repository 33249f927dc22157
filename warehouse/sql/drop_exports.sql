-- Takes exports of withdrawn releases off the record.
delete from export where release_id in (
    select release_id from release_member where example_id in (select id from doomed_examples)
)
