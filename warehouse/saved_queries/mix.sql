-- Kept and released rows of each category beside the target share
select * from mix
