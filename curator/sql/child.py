"""The child process that runs one query: reads a JSON request on stdin, writes an Arrow stream to stdout.

Started with `python -P -m curator.sql.child`; imports nothing of curator. What each setting closes was measured with
hostile statements: read-only alone still lets SQL read files, attach databases and see Python's variables.
"""

import json
import resource
import sys
from typing import Any

REFUSED = 2
FAILED = 1


def main() -> int:
    """Runs the request; errors go to stderr as one JSON object."""
    request = json.load(sys.stdin)
    _limit(request)
    import duckdb
    import pyarrow as pa

    try:
        connection = _open(request["path"], request.get("memory_mb"))
        statement = _check(connection, request["sql"])
    except (duckdb.Error, ValueError) as error:
        return _fail(REFUSED, error)
    try:
        reader = connection.execute(statement).to_arrow_reader(10_000)
        with pa.ipc.new_stream(sys.stdout.buffer, reader.schema) as stream:
            left = request.get("max_rows") or sys.maxsize
            for batch in reader:
                stream.write_batch(batch.slice(0, min(left, batch.num_rows)))
                left -= batch.num_rows
                if left <= 0:
                    break
    except (duckdb.Error, MemoryError, pa.ArrowException) as error:
        return _fail(FAILED, error)
    return 0


def _limit(request: dict[str, Any]) -> None:
    # No file may grow: DuckDB's own COPY to `<db>.wal` succeeds otherwise even on a read-only database.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name, kind in (("cpu_s", resource.RLIMIT_CPU), ("address_space", resource.RLIMIT_AS)):
        if request.get(name):
            resource.setrlimit(kind, (request[name], request[name]))


def _open(path: str, memory_mb: int | None) -> Any:
    import duckdb

    config: dict[str, Any] = {
        "storage_compatibility_version": "v1.4.0",
        "enable_external_access": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
        "temp_directory": "",
    }
    if memory_mb:
        config["memory_limit"] = f"{memory_mb}MB"
    connection = duckdb.connect(path, read_only=True, config=config)
    connection.execute("set timezone = 'UTC'")
    connection.execute("set lock_configuration = true")
    return connection


def _check(connection: Any, sql: str) -> Any:
    import duckdb

    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise ValueError(f"{len(statements)} statements, expected exactly one")
    kind = statements[0].type
    if kind not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
        raise ValueError(f"a {kind.name} statement, expected SELECT, SHOW, DESCRIBE, SUMMARIZE or EXPLAIN")
    return statements[0]


def _fail(code: int, error: Exception) -> int:
    sys.stderr.write(json.dumps({"error": str(error).strip() or type(error).__name__}))
    return code


if __name__ == "__main__":
    sys.exit(main())
