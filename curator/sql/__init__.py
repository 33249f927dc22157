"""User SQL: always in a child process, on a read-only snapshot that holds nothing private."""

from curator.sql.run import QueryLimits, run_query

__all__ = ["QueryLimits", "run_query"]
