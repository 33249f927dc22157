-- Grain: one row an example or preference whose text matches every given pattern, in the order of their ids, kept or not, with
-- the first reason for which it is not. For snapshots. Every filter may be null.
-- Parameters: $word_1 to $word_4 (RE2), $source, $category, $split, $licence, $language, $role,
-- $verdict ('kept', 'rejected', or a reason), $limit, $offset
with rejected as (
    select subject_id, min(stage) as stage, min(reason) as reason from verdicts
    where not is_kept and stage <> 'balance' group by subject_id
),
found as (
    select * from examples
    where ($word_1::text is null or regexp_matches(messages, $word_1::text))
        and ($word_2::text is null or regexp_matches(messages, $word_2::text))
        and ($word_3::text is null or regexp_matches(messages, $word_3::text))
        and ($word_4::text is null or regexp_matches(messages, $word_4::text))
        and ($source::text is null or source = $source::text)
        and ($category::text is null or coalesce(category, 'uncategorised') = $category::text)
        and ($split::text is null or coalesce(split, 'none') = $split::text)
        and ($language::text is null or language = $language::text)
        and ($role::text is null or role = $role::text)
        and ($licence::text is null or licence = $licence::text)
        and ($verdict::text is null
            or ($verdict::text = 'kept' and id not in (select subject_id from rejected))
            or ($verdict::text = 'rejected' and id in (select subject_id from rejected))
            or id in (select subject_id from verdicts where not is_kept and reason = $verdict::text))
    limit $limit offset $offset
)
select found.id, found.source, found.category, found.language, found.split, found.role, found.quality, found.tokens,
    found.messages, found.natural_key, found.span, found.url, found.is_preference, found.licence,
    rejected.stage as rejected_by, rejected.reason as rejected_for
from found
left join rejected on rejected.subject_id = found.id
order by found.id
