-- Grain: one row a kept example. For snapshots.
select corpus.messages, corpus.source, examples.metadata from corpus join examples on examples.id = corpus.id
order by corpus.id
