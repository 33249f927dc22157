-- Grain: one row a release, the newest first.
select id, created_at, sequence, is_verified, is_withdrawn, lock, report from release order by sequence desc
