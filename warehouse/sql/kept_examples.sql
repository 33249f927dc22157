-- Grain: one row a kept example or preference.
select * from kept_example order by id
