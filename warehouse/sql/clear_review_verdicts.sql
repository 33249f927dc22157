delete from verdict where stage = 'review'
