-- Grain: one cell, how many current documents are among those of `incoming`.
select count(*) from current_document where id in (select id from incoming)
