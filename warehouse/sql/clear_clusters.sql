delete from cluster
