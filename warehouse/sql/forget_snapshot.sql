-- Takes back that the newest snapshot shows what the database holds.
update meta set value = '' where key = 'snapshot' and value <> ''
