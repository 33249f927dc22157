delete from dedup_source
