-- Takes back that the newest snapshot shows what the database holds.
delete from meta where key = 'snapshot'
