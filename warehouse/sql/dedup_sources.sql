-- Grain: one row a source as counted at the last decision.
select source, num_rows, num_removed from dedup_source
