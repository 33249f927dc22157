-- Documents, examples and kept rows of each source
select * from sources
