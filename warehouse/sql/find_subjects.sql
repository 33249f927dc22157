-- Grain: one row an example, current or not, whose id starts with a text, two at most. Parameters: $prefix
select * from example where starts_with(id, $prefix) order by id limit 2
