"""The user's SQL in the service: a process a query, started ahead, limited, killed; hostile statements get nowhere."""

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from curator.service.errors import ServiceError
from curator.service.sql_pool import LIMITS, SqlError, SqlOrder, SqlPool
from curator.sql.run import CHILD, QueryLimits
from schemas.errors import ConfigError, CuratorError, WarehouseError

SECRET = "the-secret-of-another-file"
HOSTILE = Path(__file__).with_name("hostile.sql")
ALL = bool(os.environ.get("CURATOR_ALL_HOSTILE"))
"""Each statement takes a process; the suite tries every tenth through the pool (all of them through the child)."""
BOMBS = [
    "select repeat('x', 2000000000)",
    "with recursive t as (select 1 as n union all select n + 1 from t) select count(*) from t",
    "select count(*) from range(100000000) as a, range(100000000) as b where a.range % 7 = b.range % 11",
    "select printf('%2000000000d', 1)",
    "select lpad('x', 2000000000, 'y'), lpad('y', 2000000000, 'x')",
    "select list(range) from range(1000000000)",
    "select string_agg(md5(range::text), '') from range(100000000)",
    "select max(x) from (select unnest(range(1000000000)) as x)",
    " union all ".join(["select 1"] * 1_200),
    "select regexp_replace(repeat('a', 30000), '(a*)*b', 'x')",
    "select * from range(1000000) order by random()",
]
QUICK_BOMBS = BOMBS[:2]


def read_statements():
    text = "\n".join(line for line in HOSTILE.read_text().splitlines() if not line.startswith("-- "))
    return [part.strip() for part in text.split(";\n\n") if part.strip()]


@pytest.fixture(scope="module")
def place(tmp_path_factory, built):
    folder = tmp_path_factory.mktemp("place")
    (folder / "snapshots").mkdir()
    shutil.copy(max((built / ".curator" / "snapshots").glob("*.db")), folder / "snapshots" / "000001.db")
    (folder / "outside.txt").write_text(SECRET)
    return folder


@pytest.fixture(scope="module")
def pool(place):
    pool = SqlPool(place / "snapshots")
    pool.warm()
    yield pool
    pool.close()


def hash_files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_there_are_enough_hostile_statements():
    assert len(read_statements()) >= 100


def test_no_hostile_statement_reads_writes_or_stays(pool, place, monkeypatch):
    monkeypatch.setenv("CURATOR_UPSTREAM_KEY", SECRET)
    names = {
        "outside": str(place / "outside.txt"),
        "folder": str(place),
        "snapshot": str(place / "snapshots" / "000001.db"),
    }
    statements = read_statements() if ALL else read_statements()[::10]
    before = hash_files(place)
    for statement in statements:
        text = statement
        for name, value in names.items():
            text = text.replace(f"{{{name}}}", value)
        try:
            found = str(pool.run(text).frame.to_dicts())
        except CuratorError as error:
            found = error.message
        assert SECRET not in found, statement
        assert "root:" not in found, statement
    assert hash_files(place) == before


@pytest.mark.parametrize("statement", BOMBS if ALL else QUICK_BOMBS)
def test_a_bomb_is_stopped_at_its_limits_and_the_next_query_works(pool, statement):
    # Some are harmless under the limits; most run into one of them.
    with contextlib.suppress(WarehouseError, ConfigError):
        assert pool.run(statement).frame.estimated_size() < 4_000_000
    assert pool.run("select 42 as answer").frame.to_dicts() == [{"answer": 42}]


def test_a_query_that_sleeps_on_the_processor_dies_with_the_wall_limit(pool):
    quick = QueryLimits(**{**vars(LIMITS), "wall_s": 0.5})
    with pytest.raises(WarehouseError, match=r"stopped after 0\.5 s"):
        pool.run("select count(*) from range(10000000000) as a, range(100000) as b", quick)


def test_rows_and_bytes_are_cut_and_said_to_be(pool):
    many = pool.run("from range(5000)")
    assert (many.frame.height, many.is_truncated) == (1_000, True)
    wide = pool.run("select repeat('x', 10000) as x from range(999)")
    assert 100 < wide.frame.height < 210
    assert wide.is_truncated
    assert not pool.run("from range(1000)").is_truncated
    with pytest.raises(WarehouseError, match="one row"):
        pool.run("select repeat('x', 3000000) as x")


def test_the_whole_result_is_sorted_before_a_page_is_cut(pool):
    query = "select range as n, -range as m from range(3000)"
    page = QueryLimits(**{**vars(LIMITS), "max_rows": 3})
    found = pool.run(query, page, offset=2, order=SqlOrder(0, is_descending=True))
    assert found.frame["n"].to_list() == [2997, 2996, 2995]
    assert found.is_truncated
    assert pool.run(query, page, order=SqlOrder(1)).frame["n"].to_list() == [2999, 2998, 2997]
    assert pool.run(query, page, offset=2999).frame["n"].to_list() == [2999]
    with pytest.raises(WarehouseError, match="has 2"):
        pool.run(query, order=SqlOrder(2))


@pytest.mark.parametrize(
    ("statement", "position"),
    [
        ("select nowhere from corpus", 7),
        ("select id from nothing", 15),
        ("selec id", 0),
        ("select id,\n  nowhere\nfrom corpus", 13),
        ("select 'é', nowhere from corpus", 13),
    ],
)
def test_an_error_points_at_the_byte_it_speaks_of(pool, statement, position):
    with pytest.raises(SqlError) as refused:
        pool.run(statement)
    assert refused.value.position == position
    assert "\n\n" not in refused.value.message


@pytest.mark.parametrize("statement", ["show tables", "describe corpus", "summarize targets", "explain select 1",
                                       "explain analyze select 1", "select 1;"])  # fmt: skip
def test_what_only_looks_is_allowed(pool, statement):
    assert pool.run(statement).frame.height >= 1


def test_a_text_that_is_too_long_is_not_even_started(pool):
    with pytest.raises(SqlError, match="20,000 bytes"):
        pool.run("select 1 -- " + "é" * 10_000)


def test_a_process_serves_one_query_and_none_is_left(pool):
    names = [pool.run("select current_setting('threads') as t, txid_current() as x").frame.height for _ in range(3)]
    assert names == [1, 1, 1]
    with pool._guard:
        waiting = [child.pid for child in pool._ready]
    assert 1 <= len(waiting) <= 2
    pool.run("select 1")
    assert not Path(f"/proc/{waiting[0]}").exists()


def test_queries_beyond_the_places_wait_for_theirs(pool):
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda n: pool.run(f"select {n} as n").frame["n"][0], range(6)))
    assert found == list(range(6))


def test_a_crowd_is_refused_with_when_to_come_again(place, monkeypatch):
    monkeypatch.setattr("curator.service.sql_pool.MAX_PATIENCE_S", 0.05)
    pool = SqlPool(place / "snapshots", size=1)
    with pool._places, pytest.raises(ServiceError, match="still running") as refused:
        pool.run("select 1")
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "2"})
    pool.close()


def test_the_environment_of_the_service_is_not_that_of_a_query(pool, monkeypatch):
    monkeypatch.setenv("CURATOR_UPSTREAM_KEY", SECRET)
    fresh = SqlPool(pool._snapshots)
    fresh.warm()
    child = fresh._ready[0]
    assert SECRET not in Path(f"/proc/{child.pid}/environ").read_bytes().decode()
    fresh.close()


def test_a_process_outlives_the_thread_that_asked_for_it(place):
    pool = SqlPool(place / "snapshots", size=1)

    def ask():
        pool.warm()
        # Only a process that runs has told the kernel with whom it wants to end.
        pool.wait_until_warm()

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join()
    time.sleep(0.3)  # for the signal that must not come
    waiting = pool._ready[0]
    assert pool.run("select 1 as n").frame["n"][0] == 1
    # It answered itself: one that had died would have been replaced.
    assert waiting.stdin is not None
    assert waiting.stdin.closed
    pool.close()
    with pytest.raises(ServiceError, match="stopping"):
        pool.run("select 1")


def test_the_newest_snapshot_answers(tmp_path):
    for number in (1, 2):
        connection = duckdb.connect(str(tmp_path / f"{number:06d}.db"))
        connection.execute(f"create table t as select {number} as n")
        connection.close()
    pool = SqlPool(tmp_path)
    found = pool.run("from t")
    assert (found.frame.to_dicts(), found.snapshot) == ([{"n": 2}], "000002")
    (tmp_path / "000002.db").unlink()
    assert pool.run("from t").frame.to_dicts() == [{"n": 1}]
    pool.close()


def test_the_child_without_a_request_ends_quietly(pool):
    done = subprocess.run([sys.executable, "-P", str(CHILD), "--warm"], input=b"", capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"ready\n")
