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
MAX_ERROR = 4_000

# `explain analyze` executes what it explains, and what it explains may be a COPY: only a query may stand there.
EXPLAIN = re.compile(r"\s*explain\s+(?:\([^()]*\)\s*)?(?:analyze\s+)?", re.IGNORECASE)
# Arrow has these types, the frames of the result have not; as text they read as in DuckDB's own shell.
TEXT_TYPES = ("interval", "union", "bit", "bignum", "variant", "time with time zone")


def main() -> int:
    """Runs the request; errors go to stderr as one JSON object.

    Started with `--warm` it imports what is slow to import before it reads the request, says so with a line on stderr,
    and dies with its parent.
    """
    if "--warm" in sys.argv:
        _die_with_parent()
        _import_ahead()
        sys.stderr.write("ready\n")
        sys.stderr.flush()
    text = sys.stdin.read()
    if not text:
        return 0
    request = json.loads(text)
    _limit(request)
    import duckdb
    import pyarrow as pa

    try:
        connection = _open(request["path"], request.get("memory_mb"), has_positions="order" in request)
        statement = _check(connection, request["sql"])
    except (duckdb.Error, ValueError) as error:
        return _fail(REFUSED, error)
    try:
        reader = _run(connection, statement, request.get("order"), request.get("offset") or 0, request.get("max_rows"))
        is_cut = _write(reader, request.get("max_rows"), request.get("max_bytes"))
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        return _fail(REFUSED, _find_position(connection, statement) or error)
    except (duckdb.Error, MemoryError, pa.ArrowException, ValueError) as error:
        return _fail(FAILED, error)
    if is_cut:
        sys.stderr.write(json.dumps({"is_truncated": True}))
    return 0


def _write(reader: Any, max_rows: int | None, max_bytes: int | None) -> bool:
    """Writes the rows that fit; tells whether bytes (not rows) were the reason to stop early.

    Raises:
        ValueError: Not even the first row fits.
    """
    import pyarrow as pa

    rows_left, bytes_left = max_rows or sys.maxsize, max_bytes or sys.maxsize
    with pa.ipc.new_stream(sys.stdout.buffer, reader.schema) as stream:
        for batch in reader:
            wanted = min(rows_left, batch.num_rows)
            fitting = _count_fitting(batch, wanted, bytes_left)
            if not fitting and rows_left == (max_rows or sys.maxsize) and wanted:
                raise ValueError(f"one row of the result is over {max_bytes:,} bytes")
            stream.write_batch(batch.slice(0, fitting))
            if fitting < wanted:
                return True
            rows_left -= fitting
            bytes_left -= batch.slice(0, fitting).nbytes
            if rows_left <= 0:
                break
    return False


def _count_fitting(batch: Any, rows: int, size_bytes: int) -> int:
    if batch.slice(0, rows).nbytes <= size_bytes:
        return rows
    fits, fails = 0, rows
    while fails - fits > 1:
        middle = (fits + fails) // 2
        fits, fails = (middle, fails) if batch.slice(0, middle).nbytes <= size_bytes else (fits, middle)
    return fits


def _die_with_parent() -> None:
    import ctypes
    import signal

    pr_set_pdeathsig = 1
    set_option = getattr(ctypes.CDLL(None), "prctl", None)
    if set_option is not None:
        set_option(pr_set_pdeathsig, signal.SIGKILL)


def _import_ahead() -> None:
    import duckdb
    import pyarrow as pa

    # A first connection makes DuckDB set up what it needs once a process.
    duckdb.connect().sql("select 1").to_arrow_reader(1)
    pa.ipc.new_stream(pa.BufferOutputStream(), pa.schema([])).close()


def _limit(request: dict[str, Any]) -> None:
    # No file may grow: DuckDB's own COPY to `<db>.wal` succeeds otherwise even on a read-only database.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name, kind in (("cpu_s", resource.RLIMIT_CPU), ("address_space", resource.RLIMIT_AS)):
        if request.get(name):
            resource.setrlimit(kind, (request[name], request[name]))


def _open(path: str, memory_mb: int | None, *, has_positions: bool = False) -> Any:
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
    if has_positions:
        connection.execute("set errors_as_json = true")
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


def _run(connection: Any, statement: Any, order: list[Any] | None, offset: int, max_rows: int | None) -> Any:
    import duckdb

    relation = connection.sql(statement)
    if statement.type == duckdb.StatementType.SELECT:
        kinds = [str(kind).lower() for kind in relation.types]
        if any(kind.startswith(TEXT_TYPES) for kind in kinds):
            relation = relation.project(", ".join(map(_project, range(len(kinds)), kinds, relation.columns)))
        if order:
            relation = relation.order(_order(order, len(kinds)))
        if offset or (order and max_rows):
            relation = relation.limit(max_rows or sys.maxsize, int(offset))
    return relation.to_arrow_reader(ROWS_A_BATCH)


def _project(position: int, kind: str, name: str) -> str:
    quoted = name.replace('"', '""')
    column = f"#{position + 1}"
    return f'{f"cast({column} as varchar)" if kind.startswith(TEXT_TYPES) else column} as "{quoted}"'


def _order(order: list[Any], width: int) -> str:
    column, is_descending = int(order[0]), bool(order[1])
    if not 0 <= column < width:
        raise ValueError(f"sort by column {column}: the result has {width}")
    return f"#{column + 1} {'desc' if is_descending else 'asc'} nulls last"


def _fail(code: int, error: Exception) -> int:
    text = str(error).strip() or type(error).__name__
    sys.stderr.write(json.dumps(_read_json(text) or {"error": text[:MAX_ERROR]}))
    return code


def _find_position(connection: Any, statement: Any) -> Exception | None:
    """Gives the same error with its position, which relations leave out; a statement that does not bind cannot run."""
    import duckdb

    try:
        connection.execute(statement)
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        return error
    except duckdb.Error:
        return None
    return None


def _read_json(text: str) -> dict[str, Any] | None:
    """Gives message and position of an error that DuckDB wrote as JSON behind its name."""
    name, brace, rest = text.partition("{")
    try:
        found = json.loads(brace + rest)
        said = str(found["exception_message"])[:MAX_ERROR]
    except (ValueError, TypeError, KeyError):
        return None
    position = str(found.get("position", ""))
    return {"error": f"{name}{said}", "position": int(position) if position.isdigit() else None}


if __name__ == "__main__":
    sys.exit(main())
