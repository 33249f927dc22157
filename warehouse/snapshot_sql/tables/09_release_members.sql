-- Grain: one row a member of a release.
create or replace table snapshot.release_members as select * from release_member order by release_id, example_id
