-- Grain: one row a release.
create table snapshot.releases as
select id, created_at, sequence, is_verified, is_withdrawn, report from release order by sequence
