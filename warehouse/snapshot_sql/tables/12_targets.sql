-- Grain: one row a category of the pack with its share of the target mix.
create or replace table snapshot.targets as select category, share, ordinal from target order by ordinal
