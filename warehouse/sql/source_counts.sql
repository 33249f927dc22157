-- Grain: one row a source. For snapshots.
select source, documents, examples, kept, kept_tokens, refused_input from sources
