-- Grain: one row a flag or note on kept rows. For snapshots.
select stage, reason, count(*) as rows from verdicts where is_kept group by stage, reason order by rows desc, reason
