-- Grain: one row an export of a release that holds an example named in `doomed_examples`.
select distinct export.release_id, export.path from export
join release_member on release_member.release_id = export.release_id
where release_member.example_id in (select id from doomed_examples)
order by export.path
