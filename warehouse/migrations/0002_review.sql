-- one row a decision of a person, kept for ever; which of them stand is worked out anew when rows come and go
create table decision (
    id text primary key,
    kind text not null,
    subject_id text not null,
    reviewer text not null,
    decided_at timestamptz not null,
    reason text,
    category text,
    result_id text
);

-- one row an edit that stands: the row it was made of, the row that took its place, and the key that ties the two
create table revision (subject_id text not null, result_id text not null, unit_key text not null);

-- one row an example whose category a person has set
create table review_label (
    example_id text not null,
    category text not null,
    role text not null,
    evidence text not null
);

-- decisions that were stored as verdicts alone
insert into decision
select 'verdict:' || subject_id, case when is_kept then 'accept' else 'reject' end, subject_id, 'unknown', now(),
    case when is_kept then null else any_value(reason) end, null, null
from verdict where stage = 'review' group by subject_id, is_kept;
