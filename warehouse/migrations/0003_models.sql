-- one row a training run that was finished: an adapter, or a whole model; is_withdrawn once a row of it was forgotten
create table adapter (
    id text primary key,
    release_id text not null,
    recipe text not null,
    recipe_sha256 text not null,
    method text not null,
    base text not null,
    base_revision text,
    coach_role text,
    path text not null,
    metrics text not null,
    report text not null,
    is_withdrawn boolean not null,
    made_at timestamptz not null
);

-- one row an example and the adapter that was trained on it
create table adapter_member (adapter_id text not null, example_id text not null);

-- one row a file or endpoint that an adapter was deployed as
create table deployment (
    id text primary key,
    adapter_id text not null,
    quantisation text not null,
    path text not null,
    endpoint text,
    parity text not null,
    made_at timestamptz not null
);
