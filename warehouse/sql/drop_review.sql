-- Takes back what was decided about a subject before: the last word of a person counts. Parameters: $id
delete from verdict where stage = 'review' and subject_id = $id
