-- Makes a release the latest one. Parameters: $id
update release set sequence = (select max(sequence) from release) + 1
where id = $id and sequence < (select max(sequence) from release)
