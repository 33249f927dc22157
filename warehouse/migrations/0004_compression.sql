-- Long texts are packed with zstd. DuckDB's own choice for them (a dictionary with FSST) takes four times as long to
-- write and leaves files three times as large. Compression is set when a table is made, so both are made anew.

-- one row a document version as fetched; the newest of a (source, natural_key) is current
alter table document rename to loose_document;
create table document (
    id text not null using compression zstd,
    source text not null,
    kind text not null,
    natural_key text not null,
    title text,
    content text not null using compression zstd,
    metadata text not null using compression zstd,
    url text,
    author_hash text,
    created_at timestamptz,
    fetched_at timestamptz not null,
    licence text not null,
    basis text not null,
    permission text not null,
    attribution text
);
insert into document by name select * from loose_document;
drop table loose_document;

-- one row an example or preference (rejected is not null)
alter table example rename to loose_example;
create table example (
    id text not null,
    input_id text not null,
    document_id text not null,
    document_ids text[] not null,
    extractor text not null,
    span text not null,
    messages text not null using compression zstd,
    rejected text using compression zstd,
    category text,
    category_basis text,
    role text,
    language text,
    source_score double,
    url text,
    author_hash text,
    unit_keys text[] not null,
    metadata text not null using compression zstd
);
insert into example by name select * from loose_example;
drop table loose_example;
