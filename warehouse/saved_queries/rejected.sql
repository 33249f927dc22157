-- Why things are not in the corpus: counts by stage and reason
select stage, reason, count(*) as rows from rejected group by all order by rows desc, stage, reason
