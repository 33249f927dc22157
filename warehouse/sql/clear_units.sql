delete from unit
