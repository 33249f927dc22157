-- Grain: one row a version of an edited row, the first one first. For snapshots. Parameters: $id
with recursive made as (
    select subject_id as before, partner as after, detail from verdicts where stage = 'review' and reason = 'edited'
),
first as (
    select $id::text as id, 0 as step
    union all
    select made.before, first.step + 1 from first join made on made.after = first.id
),
version as (
    (select id, 0 as step from first order by first.step desc limit 1)
    union all
    select made.after, version.step + 1 from version join made on made.before = version.id
)
select version.id, examples.messages, made.detail from version
join examples on examples.id = version.id
left join made on made.after = version.id
order by version.step
