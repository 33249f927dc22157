-- Grain: one row a stage and reason. For snapshots.
select stage, reason, count(*) as rows from rejected group by stage, reason order by rows desc, stage, reason
