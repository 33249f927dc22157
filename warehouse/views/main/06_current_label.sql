-- Grain: one row an example that categorise has seen; the category that a person has set goes before any other.
create or replace view current_label as
select label.* replace (
    coalesce(review_label.category, label.category) as category,
    case when review_label.category is null then label.confidence else 1.0 end as confidence,
    case when review_label.category is null then label.basis else 'person' end as basis,
    coalesce(review_label.evidence, label.evidence) as evidence,
    coalesce(review_label.role, label.role) as role
)
from label
join stage on stage.name = 'categorise' and stage.fingerprint = label.fingerprint
left join review_label on review_label.example_id = label.example_id
