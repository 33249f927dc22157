-- Grain: one cell, how many stored versions of a key with several versions are in `incoming` as fetched later.
select count(*) from document
join (select id, max(fetched_at) as fetched_at from incoming group by id) as seen using (id)
where document.fetched_at < seen.fetched_at
    and (document.source, document.natural_key) in (
        select (source, natural_key) from document
        semi join incoming using (source, natural_key)
        group by source, natural_key having count(*) > 1
    )
