-- Statements that must not read a file outside the snapshot, write one, or change anything. One a paragraph;
-- {outside} is a file with a secret, {folder} a writable folder, {snapshot} the database that is queried.

select * from read_text('{outside}');

select * from read_blob('{outside}');

select * from read_csv('{outside}', header = false);

select * from read_csv_auto('{outside}');

select * from read_json('{outside}');

select * from read_json_auto('{outside}');

select * from read_json_objects('{outside}');

select * from read_ndjson('{outside}');

select * from read_ndjson_objects('{outside}');

select * from read_parquet('{outside}');

select * from parquet_scan('{outside}');

select * from parquet_metadata('{outside}');

select * from parquet_schema('{outside}');

select * from parquet_kv_metadata('{outside}');

select * from sniff_csv('{outside}');

select * from glob('{folder}/*');

select * from glob('/etc/*');

select * from '{outside}';

select * from "{outside}";

select * from '/etc/passwd';

select * from read_text('/proc/self/environ');

select * from read_text('/proc/self/cmdline');

select * from read_blob('/dev/zero');

select * from read_text('file://{outside}');

select * from read_text('{snapshot}/../../../curator.db');

select * from read_blob('{snapshot}');

select * from read_blob('{snapshot}.wal');

select * from read_duckdb('{outside}');

select * from read_xlsx('{outside}');

select * from read_csv('https://example.com/x.csv');

select * from read_parquet('s3://bucket/x.parquet');

select * from sqlite_scan('{outside}', 'x');

select * from postgres_scan('host=localhost', 'public', 'x');

select * from mysql_query('x', 'select 1');

select * from delta_scan('{folder}');

select * from iceberg_scan('{folder}');

select * from query('select * from read_text(''{outside}'')');

select * from query_table('{outside}');

select * from (select * from read_text('{outside}')) as t;

with t as (select * from read_text('{outside}')) select * from t;

select (select content from read_text('{outside}'));

select exists (from read_text('{outside}'));

select list(content) from read_text(['{outside}', '/etc/passwd']);

explain analyze select * from read_text('{outside}');

describe select * from read_text('{outside}');

summarize '{outside}';

copy (select 42) to '{folder}/stolen.csv';

copy corpus to '{folder}/stolen.parquet' (format parquet);

copy corpus to '{snapshot}.wal';

copy (select 42) to '{snapshot}.wal' (format csv);

copy (select 42) to '{snapshot}.wal.checkpoint';

copy (select 42) to '{snapshot}.wal.recovery';

copy (select 42) to '{snapshot}';

copy (select 42) to '/dev/stdout';

copy corpus from '{outside}';

copy from database snapshot to other;

explain analyze copy (select 42) to '{folder}/stolen.csv';

explain analyze copy (select 42) to '{snapshot}.wal';

explain (analyze) copy (select 42) to '{snapshot}.wal';

explain (analyze, format json) copy (select 42) to '{snapshot}.wal';

EXPLAIN /* x */ ANALYZE COPY (select 42) TO '{snapshot}.wal';

explain analyze
-- a comment
copy (select 42) to '{snapshot}.wal';

explain analyze create table t as select 1;

explain analyze attach '{folder}/new.db';

export database '{folder}/export';

import database '{folder}/export';

attach '{folder}/new.db';

attach '{folder}/new.db' as n (read_only);

attach '{outside}' as o (type sqlite);

attach ':memory:' as m;

detach snapshot;

use temp;

set enable_external_access = true;

set global enable_external_access = true;

set lock_configuration = false;

set memory_limit = '100GB';

set temp_directory = '{folder}';

set allowed_directories = ['/'];

set allowed_paths = ['{outside}'];

set home_directory = '{folder}';

set extension_directory = '{folder}';

set allow_unsigned_extensions = true;

set python_enable_replacements = true;

set log_query_path = '{folder}/log';

set variable secret = 1;

reset enable_external_access;

reset all;

pragma enable_external_access;

pragma database_list;

pragma table_info('corpus');

pragma enable_profiling = 'json';

pragma profiling_output = '{folder}/profile.json';

call pragma_version();

call enable_logging();

call force_checkpoint();

checkpoint;

force checkpoint;

vacuum;

vacuum analyze corpus;

analyze;

install httpfs;

install httpfs from '{folder}';

force install json;

load httpfs;

load '{folder}/evil.duckdb_extension';

update extensions;

create secret s (type s3, key_id 'x', secret 'y');

select * from which_secret('s3://x', 's3');

create table stolen as select * from corpus;

create temp table stolen as select 1;

create view stolen as select 1;

create temp macro lower(x) as 'shadowed';

create macro stolen() as table select * from read_text('{outside}');

create or replace function lower(x) as 'shadowed';

create type mood as enum ('a', 'b');

create sequence s;

create schema s;

create index i on corpus (id);

insert into corpus (id) values ('x');

insert or replace into targets values ('x', 1, 1);

update corpus set answer = 'x';

delete from corpus;

truncate corpus;

merge into targets using targets as t on true when matched then delete;

drop table corpus;

drop view mix;

alter table corpus rename to stolen;

alter table corpus add column x int;

comment on table corpus is 'x';

with d as (delete from corpus returning *) select * from d;

with i as (insert into corpus (id) values ('x') returning *) select * from i;

with u as (update corpus set answer = 'x' returning *) select * from u;

with d as materialized (delete from targets returning *), e as (select * from d) select count(*) from e;

select * from (delete from corpus returning *);

begin transaction;

commit;

rollback;

prepare p as select 1;

execute p;

deallocate p;

select 1; select 2;

select 1; drop table corpus;

select 1; copy corpus to '{folder}/stolen.csv';

/* x */ ; ; select 1; delete from corpus;

select * from secret_variable;

select * from request;

select * from connection;

select * from sys;

select * from frame;

select getvariable('secret_variable');

select getenv('HOME');

select write_log('x');

select nextval('s');

select currval('s');

select setseed(0.5), * from read_text('{outside}');

from duckdb_logs;

from read_text('{outside}') select content;

pivot (select * from read_text('{outside}')) on filename;

values ((select content from read_text('{outside}')));

select * from corpus, lateral (select * from read_text('{outside}'));

select content from read_text('{outside}') union all select id from corpus;

table '{outside}';

select columns(*) from read_text('{outside}');

select * from checkpoint('snapshot');

select import_database('{folder}');

select load_aws_credentials();

select * from open_prompt('x');

select * from shellfs_scan('cat {outside} |');

select * from read_csv('cat {outside} |');

select * from st_read('{outside}');
