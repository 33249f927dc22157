-- Grain: one row a kept example that waits for a person, safety flags first, then the best uncategorised ones.
-- For snapshots. Parameters: $limit
select examples.id, flags.reason, examples.source, examples.natural_key, examples.span, examples.messages,
    examples.category, examples.quality
from examples
left join (
    select subject_id, min(reason) as reason from verdicts where is_kept and starts_with(reason, 'flag:') group by all
) as flags on flags.subject_id = examples.id
where examples.id not in (select subject_id from verdicts where not is_kept and stage <> 'balance')
    and examples.id not in (select subject_id from verdicts where stage = 'review')
    and (flags.reason is not null or (examples.category is null and not examples.is_preference))
order by flags.reason is null, examples.quality desc, examples.id
limit $limit
