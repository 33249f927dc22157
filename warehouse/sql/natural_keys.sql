-- Grain: one row a current document of a source. Parameters: $source
select natural_key from current_document where source = $source order by natural_key
