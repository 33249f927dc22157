-- one row a source: its candidates of dedup, and how many of them are gone as copies of others, as of the last decision
create table dedup_source (source text not null, num_rows bigint not null, num_removed bigint not null);

-- Which rows were decided upon is written in another way from now on, so all are decided upon once more.
delete from stage where name = 'dedup_rows';
