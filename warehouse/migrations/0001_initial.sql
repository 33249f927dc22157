-- Grain of each table in the line above it. Large tables carry no primary key: one process writes, inserts are
-- anti-joined, and an index would cost a third of the insert rate.

-- one row a setting of the database itself (salt of author hashes, ...)
create table meta (key text primary key, value text not null);

-- one row a document version as fetched; the newest of a (source, natural_key) is current
create table document (
    id text not null,
    source text not null,
    kind text not null,
    natural_key text not null,
    title text,
    content text not null,
    metadata text not null,
    url text,
    author_hash text,
    created_at timestamptz,
    fetched_at timestamptz not null,
    licence text not null,
    basis text not null,
    permission text not null,
    attribution text
);

-- one row a piece of input that could not become a document
create table rejection (
    source text not null,
    location text not null,
    reason text not null,
    detail text not null,
    is_fault boolean not null,
    seen_at timestamptz not null
);

-- one row a configured input: where its connector goes on
create table ingest_cursor (
    source text not null,
    input_key text not null,
    cursor text,
    updated_at timestamptz not null,
    primary key (source, input_key)
);

-- one row a stage: the fingerprint (code version and settings) under which its rows are current
create table stage (name text primary key, fingerprint text not null);

-- one row an input that extraction has read and an example it gave (example_id is null when it gave none)
create table extraction (input_id text not null, fingerprint text not null, example_id text);

-- one row an input (document, or thread) as of the last curate
create table current_input (input_id text not null);

-- one row an example or preference (rejected is not null)
create table example (
    id text not null,
    input_id text not null,
    document_id text not null,
    document_ids text[] not null,
    extractor text not null,
    span text not null,
    messages text not null,
    rejected text,
    category text,
    category_basis text,
    role text,
    language text,
    source_score double,
    url text,
    author_hash text,
    unit_keys text[] not null,
    metadata text not null
);

-- one row an example and screen fingerprint; messages and rejected are set only where screening changed the text
create table screening (
    example_id text not null,
    fingerprint text not null,
    messages text,
    rejected text,
    language text not null,
    tokens integer not null,
    quality double not null
);

-- one row an example and categorise fingerprint; category is null when undecided
create table label (
    example_id text not null,
    fingerprint text not null,
    category text,
    confidence double,
    basis text not null,
    evidence text,
    role text not null
);

-- one row a decision against a subject, or a flag on it (is_kept and reason like 'flag:%')
create table verdict (
    stage text not null,
    subject_id text not null,
    fingerprint text not null,
    is_kept boolean not null,
    reason text,
    score double,
    threshold double,
    partner text,
    detail text
);

-- one row an example that lies in a cluster of near-duplicates, under a dedup fingerprint
create table cluster (
    fingerprint text not null,
    cluster_id text not null,
    example_id text not null,
    representative_id text not null,
    similarity double not null
);

-- one row an example: the unit it belongs to as of the last balance
create table unit (example_id text not null, unit_id text not null, unit_size integer not null);

-- one row an example id or unit key that has been dealt to a split, for ever
create table split_ledger (key_kind text not null, key text not null, split text not null, category text);

-- one row a release
create table release (
    id text primary key,
    created_at timestamptz not null,
    sequence integer not null,
    is_verified boolean not null,
    is_withdrawn boolean not null,
    lock text not null,
    report text not null
);

-- one row an example or preference of a release
create table release_member (
    release_id text not null,
    example_id text not null,
    split text not null,
    category text,
    unit_id text not null
);

-- one row an export folder that was written
create table export (
    release_id text not null,
    format text not null,
    path text not null,
    manifest text not null,
    written_at timestamptz not null
);

-- one row a thing that must never come in again; key_hash is salted
create table tombstone (key_hash text not null, kind text not null, made_at timestamptz not null);

-- one row a command that changed something
create table run (
    started_at timestamptz not null,
    ended_at timestamptz not null,
    command text not null,
    summary text not null
);

-- one row a category of the pack: its share of the target mix
create table target (category text not null, share double not null, ordinal integer not null);

-- one row an example and signature fingerprint: what dedup must know of a text without reading it again
create table signature (
    fingerprint text not null,
    example_id text not null,
    text_hash ubigint not null,
    signature blob,
    size integer not null,
    answer_hash ubigint not null,
    question_hash ubigint not null
);

-- one row a pair of texts whose true Jaccard similarity reaches the threshold of the signature fingerprint
create table near_pair (
    fingerprint text not null,
    left_hash ubigint not null,
    right_hash ubigint not null,
    similarity double not null
);
