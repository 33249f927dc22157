-- Grain: one row an example that categorise has seen.
create or replace view current_label as
select label.* from label
join stage on stage.name = 'categorise' and stage.fingerprint = label.fingerprint
