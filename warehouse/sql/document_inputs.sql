-- Grain: one row a current document that is an input by itself.
select id as input_id, kind from current_document where kind not in ('post', 'comment', 'event')
