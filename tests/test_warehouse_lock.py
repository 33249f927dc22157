"""One command writes at a time; the others learn who does."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from schemas.errors import LockedError
from warehouse import hold_lock, read_owner

HOLDER = """
import sys, time
from pathlib import Path
from warehouse.lock import hold_lock
with hold_lock(Path(sys.argv[1]), "ingest reddit"):
    print("held", flush=True)
    time.sleep(120)
"""


@pytest.fixture
def holder(bare):
    """A process that holds the lock of the bare project."""
    path = bare / ".curator" / "lock"
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_locked_project_is_exit_code_4_with_the_owners_pid_and_nothing_is_written(holder, bare, cli):
    found = cli(bare, "ingest", "synthetic", "--count", 3)
    assert found.code == 4
    assert f"PID {holder.pid} (curator ingest reddit" in found.err
    assert "--wait SECONDS" in found.err
    assert found.out == ""
    assert not (bare / "curator.db").exists()


def test_waiting_ends_when_the_owner_is_killed_and_the_command_then_works(holder, bare, cli):
    threading.Timer(0.5, os.kill, (holder.pid, signal.SIGKILL)).start()
    found = cli(bare, "ingest", "synthetic", "--count", 3, "--wait", 60)
    assert found.code == 0
    assert "3 new" in found.err


def test_waiting_gives_up_after_the_time_given(holder, bare):
    started = time.monotonic()
    with pytest.raises(LockedError, match=f"PID {holder.pid}"), hold_lock(bare / ".curator" / "lock", "x", 0.4):
        pytest.fail("must not get the lock")
    assert 0.4 <= time.monotonic() - started < 10


def test_a_killed_owner_leaves_no_stale_lock_though_its_name_is_still_in_the_file(holder, bare):
    holder.kill()
    holder.wait()
    path = bare / ".curator" / "lock"
    assert json.loads(path.read_text())["pid"] == holder.pid
    assert read_owner(path) is None
    with hold_lock(path, "curate"):
        assert json.loads(path.read_text())["pid"] == os.getpid()


def test_status_names_the_owner_and_does_not_take_the_lock(holder, bare, cli):
    assert f"PID {holder.pid}" in cli(bare, "status", "--json").json["working now"]
    path = bare / ".curator" / "lock"
    before = path.read_bytes()
    assert read_owner(path).startswith(f"PID {holder.pid} (curator ingest reddit, since 20")
    assert path.read_bytes() == before


def test_a_free_lock_has_no_owner(tmp_path):
    path = tmp_path / "lock"
    assert read_owner(path) is None
    with hold_lock(path, "curate"):
        assert f"PID {os.getpid()}" in read_owner(path)
    assert read_owner(path) is None
    path.write_text("no json")
    assert read_owner(path) is None


def test_an_error_in_the_block_releases_the_lock(tmp_path):
    path = tmp_path / "lock"
    with pytest.raises(ValueError, match="boom"), hold_lock(path, "a"):
        raise ValueError("boom")
    with hold_lock(path, "b"):
        pass
