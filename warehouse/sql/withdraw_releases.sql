-- Releases that hold a forgotten example cannot be exported again.
update release set is_withdrawn = true where id in (
    select release_id from release_member where example_id in (select id from doomed_examples)
)
