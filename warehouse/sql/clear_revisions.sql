delete from revision
