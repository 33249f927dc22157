"""The child process that runs one query: reads a JSON request on stdin, writes an Arrow stream to stdout.

Started as a file (`python -P child.py`), so that it imports nothing of curator and starts fast. What each setting
closes was measured with hostile statements: read-only alone still lets SQL read files, attach databases and see
Python's variables.
"""

import json
import re
import resource
import sys
from typing import Any

REFUSED = 2
FAILED = 1
ROWS_A_BATCH = 10_000

# `explain analyze` executes what it explains, and what it explains may be a COPY: only a query may stand there.
EXPLAIN = re.compile(r"\s*explain\s+(?:\([^()]*\)\s*)?(?:analyze\s+)?", re.IGNORECASE)
# Arrow has these types, the frames of the result have not; as text they read as in DuckDB's own shell.
TEXT_TYPES = ("interval", "union", "bit", "bignum", "variant", "time with time zone")


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
        reader = _run(connection, statement)
        with pa.ipc.new_stream(sys.stdout.buffer, reader.schema) as stream:
            left = request.get("max_rows") or sys.maxsize
            for batch in reader:
                stream.write_batch(batch.slice(0, min(left, batch.num_rows)))
                left -= batch.num_rows
                if left <= 0:
                    break
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        return _fail(REFUSED, error)
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
        "allow_persistent_secrets": False,
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

    statement = _parse_one(connection, sql)
    if statement.type == duckdb.StatementType.EXPLAIN:
        head = EXPLAIN.match(statement.query)
        _check_query(_parse_one(connection, statement.query[head.end() :] if head else ""))
    else:
        _check_query(statement)
    return statement


def _parse_one(connection: Any, sql: str) -> Any:
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise ValueError(f"{len(statements)} statements, expected exactly one")
    return statements[0]


def _check_query(statement: Any) -> None:
    import duckdb

    if statement.type != duckdb.StatementType.SELECT:
        raise ValueError(f"a {statement.type.name} statement, expected SELECT, SHOW, DESCRIBE, SUMMARIZE or EXPLAIN")


def _run(connection: Any, statement: Any) -> Any:
    import duckdb

    relation = connection.sql(statement)
    if statement.type == duckdb.StatementType.SELECT:
        kinds = [str(kind).lower() for kind in relation.types]
        if any(kind.startswith(TEXT_TYPES) for kind in kinds):
            relation = relation.project(", ".join(map(_project, range(len(kinds)), kinds, relation.columns)))
    return relation.to_arrow_reader(ROWS_A_BATCH)


def _project(position: int, kind: str, name: str) -> str:
    quoted = name.replace('"', '""')
    column = f"#{position + 1}"
    return f'{f"cast({column} as varchar)" if kind.startswith(TEXT_TYPES) else column} as "{quoted}"'


def _fail(code: int, error: Exception) -> int:
    sys.stderr.write(json.dumps({"error": str(error).strip() or type(error).__name__}))
    return code


if __name__ == "__main__":
    sys.exit(main())
