-- Grain: one row a document whose id starts with a text or whose natural key is it. For snapshots. Parameters: $text
select * from documents where starts_with(id, $text) or natural_key = $text or url = $text
order by is_current desc, id limit 3
