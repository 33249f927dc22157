-- Kept rows without a category, the best first
select id, source, quality, prompt from corpus where category is null order by quality desc, id limit 200
