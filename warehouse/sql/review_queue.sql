-- Grain: one row an example that waits for a person, with every reason: uncategorised rows first, then flagged ones,
-- guesses that were barely sure, removed near-duplicates that barely were some; the best of each kind first.
-- For snapshots. Parameters: $limit, $offset, $max_confidence, $max_similarity, $reasons (the kinds wanted)
with flags as (
    select subject_id, list(reason order by reason) as names from verdicts
    where is_kept and starts_with(reason, 'flag:') group by subject_id
),
near as (
    select subject_id, partner, score from verdicts
    where stage = 'dedup' and reason = 'near_duplicate' and not is_kept and score < $max_similarity
),
judged as (
    select
        examples.*, near.partner, near.score as similarity, flags.names as flags,
        case
            when near.subject_id is not null then ['borderline_duplicate']
            else list_filter(
                [
                    case when category is null and not is_preference then 'uncategorised' end,
                    case when flags.names is not null then 'flagged' end,
                    case when category_basis in ('lexicon', 'classifier') and category is not null
                        and confidence < $max_confidence then 'low_confidence' end
                ],
                lambda reason: reason is not null
            )
        end as reasons
    from examples
    left join flags on flags.subject_id = examples.id
    left join near on near.subject_id = examples.id
    where examples.id not in (
            select subject_id from verdicts where not is_kept and stage <> 'balance'
                and not (stage = 'dedup' and reason = 'near_duplicate')
        )
        and (near.subject_id is not null
            or examples.id not in (select subject_id from verdicts where not is_kept and stage = 'dedup'))
        and examples.id not in (select subject_id from verdicts where stage = 'review' and reason = 'accepted')
)
select
    judged.id, reasons[1] as reason, reasons, coalesce(flags, []) as flags, judged.source, judged.natural_key,
    judged.span, judged.messages, judged.category, judged.confidence, judged.evidence, judged.quality,
    judged.partner, judged.similarity, twin.messages as partner_messages
from judged
left join examples as twin on twin.id = judged.partner
where len(reasons) > 0 and list_has_any(reasons, $reasons)
order by
    list_position(['uncategorised', 'flagged', 'low_confidence', 'borderline_duplicate'], reasons[1]),
    judged.quality desc, judged.id
limit $limit offset $offset
