-- Grain: one row a decision, the earliest first.
select * from decision order by decided_at, id
