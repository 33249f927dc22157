"""User SQL reads one snapshot and nothing else: no statement writes a file, reads one, or changes anything."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from curator.sql import QueryLimits, run_query
from curator.sql.run import CHILD
from schemas.errors import ConfigError, CuratorError, WarehouseError

SECRET = "the-secret-of-another-file"
HOSTILE = Path(__file__).with_name("hostile.sql")

# Runs every request in a process of its own, as `run_query` does, but forked from one that has imported the
# libraries: a hundred interpreters would take minutes. The child's own `main` runs, with all of its limits.
RUNNER = """
import io, json, os, runpy, signal, sys
import duckdb, pyarrow
child = runpy.run_path(sys.argv[1], run_name="child")
secret_variable = "python-variable-of-the-parent"
results = []
for request in json.load(sys.stdin):
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        sys.stdin = io.StringIO(json.dumps(request))
        signal.alarm(20)
        try:
            code = child["main"]()
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException as error:
            os.write(2, repr(error).encode())
            code = 99
        os._exit(code)
    os.close(writing)
    with open(reading, "rb") as stream:
        output = stream.read()
    results.append([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), output.decode("latin-1")])
print(json.dumps(results))
"""


# What works and may: it sees the snapshot's own bytes, which hold only what may be shared, or its own memory.
HARMLESS = {
    "select * from read_blob('{snapshot}')",
    "select * from read_blob('{snapshot}.wal')",
    "select getvariable('secret_variable')",
    "select write_log('x')",
    "select * from which_secret('s3://x', 's3')",
    "from duckdb_logs",
}


def read_statements():
    text = "\n".join(line for line in HOSTILE.read_text().splitlines() if not line.startswith("-- "))
    return [part.strip() for part in text.split(";\n\n") if part.strip()]


@pytest.fixture
def place(tmp_path, built):
    """A copy of the newest snapshot in a folder, and a secret beside it."""
    folder = tmp_path / "snapshots"
    folder.mkdir()
    snapshot = folder / "000001.db"
    shutil.copy(max((built / ".curator" / "snapshots").glob("*.db")), snapshot)
    (tmp_path / "outside.txt").write_text(SECRET)
    return tmp_path, snapshot


def hash_files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run_all(statements, snapshot, **limits):
    requests = [{"path": str(snapshot), "sql": sql, **limits} for sql in statements]
    done = subprocess.run(
        [sys.executable, "-P", "-c", RUNNER, str(CHILD)],
        input=json.dumps(requests), capture_output=True, text=True, check=True, timeout=300,
        env={**os.environ, "HOME": "/home-of-the-parent"},
    )  # fmt: skip
    return json.loads(done.stdout)


def test_there_are_more_than_a_hundred_hostile_statements_and_none_gets_through(place):
    folder, snapshot = place
    names = {"outside": folder / "outside.txt", "folder": folder, "snapshot": snapshot}
    written = statements = read_statements()
    for name, path in names.items():
        statements = [sql.replace("{" + name + "}", str(path)) for sql in statements]
    assert len(set(statements)) >= 150
    before = hash_files(folder)
    results = run_all(statements, snapshot)
    succeeded = {sql for sql, (code, _) in zip(written, results, strict=True) if code not in (1, 2)}
    assert succeeded == HARMLESS
    for sql, (_, output) in zip(statements, results, strict=True):
        assert SECRET not in output, sql
        assert "root:x:0" not in output, sql
        assert "python-variable-of-the-parent" not in output, sql
        assert "/home-of-the-parent" not in output, sql
    assert hash_files(folder) == before
    assert sorted(path.name for path in folder.rglob("*")) == ["000001.db", "outside.txt", "snapshots"]
    with duckdb.connect(str(snapshot), read_only=True) as connection:
        assert connection.execute("select count(*) from corpus").fetchone()[0] > 50


def test_the_runner_would_show_a_statement_that_works(place):
    _, snapshot = place
    ((code, output), (wrong, message)) = run_all(["select 'wor' || 'king' as x", "select nothing"], snapshot)
    assert code == 0
    assert "working" in output
    assert wrong == 2
    assert "nothing" in json.loads(message)["error"]


BOMBS = [
    "select repeat('x', 5000000000)",
    "select lpad('x', 4000000000, 'y')",
    "select printf('%999999999d', 1)",
    "select count(*) from range(100000000000)",
    "select list(range) from range(500000000)",
    "select count(*) from corpus a, corpus b, corpus c, corpus d, corpus e, corpus f, corpus g",
    "with recursive t(n) as (select 1 union all select n + 1 from t) select count(*) from t",
    "select * from corpus a, corpus b, corpus c order by hash(a.id || b.id || c.id)",
]


def test_bombs_end_at_their_limits(place):
    folder, snapshot = place
    before = hash_files(folder)
    limits = {"cpu_s": 1, "memory_mb": 256, "address_space": 1_500_000_000, "max_rows": 1000}
    results = run_all(BOMBS, snapshot, **limits)
    endings = {sql: code for sql, (code, output) in zip(BOMBS, results, strict=True)}
    # An error, the processor limit (SIGXCPU, SIGKILL), or a cut-off result: never more than the rows allowed.
    assert {sql: code for sql, code in endings.items() if code not in (0, 1, 2, -24, -9, -6, -11)} == {}
    assert endings[BOMBS[6]] != 0
    assert all(len(output) < 3_000_000 for _, output in results)
    assert hash_files(folder) == before


def test_a_query_is_stopped_at_its_time_limit_with_one_clear_line(place):
    _, snapshot = place
    with pytest.raises(WarehouseError, match=r"stopped after 1\.5 s"):
        run_query(snapshot, "select count(*) from range(1000000000000)", QueryLimits(wall_s=1.5))


def test_no_more_rows_come_back_than_were_asked_for(place):
    _, snapshot = place
    table = run_query(snapshot, "select * from range(100000)", QueryLimits(max_rows=7))
    assert table.column(0).to_pylist() == list(range(7))


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select nonsense from corpus", "nonsense"),
        ("select * from no_such_table", "no_such_table"),
        ("selec 1", "syntax error"),
        ("", "0 statements, expected exactly one"),
        ("select 1; select 2", "2 statements, expected exactly one"),
        ("delete from corpus", "a DELETE statement, expected SELECT"),
        ("explain analyze delete from corpus", "a DELETE statement, expected SELECT"),
    ],
)
def test_what_is_wrong_with_a_query_is_said_and_is_exit_code_2(sql, message, place):
    _, snapshot = place
    with pytest.raises(ConfigError) as error:
        run_query(snapshot, sql)
    assert message in error.value.message
    assert error.value.message.startswith("query: ")


def test_a_query_that_fails_while_it_runs_is_exit_code_1(place):
    _, snapshot = place
    with pytest.raises(CuratorError) as error:
        run_query(snapshot, "select cast(id as integer) from corpus")
    assert error.value.exit_code == 1


def test_harmless_statements_of_every_kind_work(place):
    _, snapshot = place
    harmless = [
        "from mix", "table mix", "show tables", "describe corpus", "summarize mix", "values (1), (2)",
        "explain select 1", "explain analyze select count(*) from corpus", "EXPLAIN (format json) select 1",
        "select 1;", "-- a comment\nselect 1", "with t as (select 1 as a) select * from t",
        "select regexp_extract(prompt, '\\w+') from corpus", "select json_extract(messages, '$[0].role') from corpus",
        "select unnest(from_json(messages, '[\"json\"]')) from corpus",
        "select category, count(*) over (partition by source) from corpus qualify row_number() over () < 5",
    ]  # fmt: skip
    results = run_all(harmless, snapshot)
    assert {sql: output for sql, (code, output) in zip(harmless, results, strict=True) if code} == {}
