-- Grain: one row a pair of texts of `text_hashes` with a true Jaccard similarity of 0.7 or more.
create or replace table snapshot.similar_texts as
select near_pair.left_hash, near_pair.right_hash, near_pair.similarity
from near_pair
join stage on stage.name = 'dedup_texts' and stage.fingerprint = near_pair.fingerprint
where near_pair.left_hash in (select text_hash from snapshot.text_hashes)
    and near_pair.right_hash in (select text_hash from snapshot.text_hashes)
order by near_pair.left_hash, near_pair.right_hash
