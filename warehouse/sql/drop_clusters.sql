-- Takes back the places of the examples of `reopened` in clusters.
delete from cluster where example_id in (select id from reopened)
