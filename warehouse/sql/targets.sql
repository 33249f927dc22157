-- Grain: one row a category with its share of the target mix.
select category, share, ordinal from target order by ordinal
