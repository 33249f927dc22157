-- What was decided of documents that are extracted again, and of the examples made of them, gives way to what is decided
-- now. Parameters: $fingerprint. Frame: incoming (id: documents)
delete from verdict
where stage = 'extract' and fingerprint = $fingerprint
    and (
        subject_id in (select id from incoming)
        or subject_id in (select id from example where document_id in (select id from incoming))
    )
