-- Stores a release. Parameters: $id, $is_verified, $lock, $report
insert into release by name
select
    $id as id, now() as created_at, coalesce((select max(sequence) from release), 0) + 1 as sequence,
    $is_verified as is_verified, false as is_withdrawn, $lock as lock, $report as report
