-- Grain: one row a current example whose id starts with a text, two at most. Parameters: $prefix
select id from current_example where starts_with(id, $prefix) order by id limit 2
