"""Runs one query in a child process and gives its result as an Arrow table."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import ConfigError, WarehouseError

if TYPE_CHECKING:
    import pyarrow as pa

REFUSED = 2
CHILD = Path(__file__).with_name("child.py")


@dataclass(frozen=True)
class QueryLimits:
    """What a query may use; None is no limit (the command line), the service sets them all.

    Attributes:
        max_rows: Rows of the result.
        max_bytes: Bytes of the result in memory; what does not fit is left out.
        cpu_s: Seconds of processor time.
        wall_s: Seconds until the child is killed.
        memory_mb: DuckDB's memory limit.
        address_space: Bytes of address space of the child.
    """

    max_rows: int | None = None
    max_bytes: int | None = None
    cpu_s: int | None = None
    wall_s: float | None = None
    memory_mb: int | None = None
    address_space: int | None = None


def run_query(snapshot: Path, sql: str, limits: QueryLimits | None = None) -> "pa.Table":
    """Runs exactly one SELECT (or SHOW, DESCRIBE, SUMMARIZE, EXPLAIN) on a snapshot.

    Raises:
        ConfigError: The statement is not allowed, does not parse, or names a table or column that is not there.
        WarehouseError: It failed or went over a limit.
    """
    import pyarrow as pa

    limits = limits or QueryLimits()
    request = json.dumps({"path": str(snapshot), "sql": sql, **vars(limits)})
    command = [sys.executable, "-P", str(CHILD)]
    try:
        done = subprocess.run(command, input=request.encode(), capture_output=True, timeout=limits.wall_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise WarehouseError(f"query: stopped after {limits.wall_s:g} s", "ask for less") from error
    if done.returncode:
        message = _read_error(done.stderr, done.returncode)
        if done.returncode == REFUSED:
            raise ConfigError(f"query: {message}", "curator sql --saved lists queries that work")
        raise WarehouseError(f"query: {message}", "curator sql 'show tables' lists what is there")
    with pa.ipc.open_stream(done.stdout) as stream:
        return stream.read_all()


def _read_error(stderr: bytes, code: int) -> str:
    text = stderr.decode(errors="replace").strip()
    try:
        return str(json.loads(text.splitlines()[-1])["error"])
    except (ValueError, IndexError, KeyError, TypeError):
        return text.splitlines()[-1] if text else f"the query's process ended with {code}"
