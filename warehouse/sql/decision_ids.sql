-- Grain: one row a decision.
select id from decision
