delete from verdict where stage = 'dedup'
