-- Grain: one row a release.
create or replace table snapshot.releases as
select id, created_at, sequence, is_verified, is_withdrawn, report from release order by sequence
