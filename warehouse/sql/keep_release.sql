-- Stores a release. Parameters: $id, $is_verified, $lock, $report
insert into release
select $id, now(), coalesce((select max(sequence) from release), 0) + 1, $is_verified, $lock, $report
