-- Grain: one row a document whose id starts with a prefix (null: not asked) or whose natural key or URL is a text.
-- For snapshots. Parameters: $prefix, $text
select * from documents
where coalesce(starts_with(id, $prefix::text), false) or natural_key = $text or url = $text
order by is_current desc, id limit 3
