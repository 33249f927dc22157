-- Grain: one cell, how many examples and preferences are stored.
select count(*) from example
