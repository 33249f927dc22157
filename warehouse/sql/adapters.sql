-- Grain: one row a trained model, the newest first.
select * from adapter order by made_at desc, id
