"""The service: the corpus in the browser and over HTTP, read from snapshots and written to a journal.

It never opens the database for writing: what people say and decide goes to the journal, which `curator ingest
feedback` and `curator review apply` drain. The user's SQL never runs in its process.
"""

__all__: list[str] = []
