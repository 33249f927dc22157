-- Grain: one row an example whose category a person has set.
select example_id, category, role, evidence from review_label order by example_id
