-- Takes the examples of an adapter off the record. Parameters: $id
delete from adapter_member where adapter_id = $id
