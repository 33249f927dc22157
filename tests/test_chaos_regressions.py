"""What the crash matrix brought to light once: each fault stays mended."""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from curator.cli.app import explain, run
from curator.project import open_project
from schemas.errors import LockedError
from train.curve import plot_loss
from warehouse import hold_lock, open_warehouse, read_owner


class StoppedError(BaseException):
    """Ends a command at a point that a clock hardly meets; the kills themselves are those of the driver."""


def stop(*_: object, **__: object) -> None:
    raise StoppedError


@contextlib.contextmanager
def stopped_at(target: str):
    """Expects the block to be stopped where a function of that name is called."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(target, stop)
        try:
            yield
        except StoppedError:
            return
    pytest.fail(f"{target} was not called")


def ask(folder: Path, query: str):
    newest = max((folder / ".curator" / "snapshots").glob("[0-9]*.db"))
    with duckdb.connect(str(newest), read_only=True) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def chess(bare: Path, tiny_pack: Path) -> Path:
    """A project whose rows resemble each other, ingested and no more."""
    (bare / "curator.toml").write_text(f"pack = {json.dumps(str(tiny_pack))}\n")
    words = "Look at the long file first, then count the attackers and the defenders of the pinned knight on f6"
    rows = [
        {"question": "How do I use a pin in the middle game?", "answer": f"{words}, and only then trade.", "category": "tactics"},
        {"question": "How do I use a pin in the middle game?", "answer": f"{words}, and only then trade!!", "category": "tactics"},
        {"question": "When is the opposition worth a pawn?", "answer": "When the king that has to move must give way, so "
         "that yours reaches the rank in front of the pawn that decides the endgame.", "category": "endgames"},
    ]  # fmt: skip
    path = bare.parent / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run(["-q", "-C", str(bare), "ingest", "dataset", str(path)]) == 0
    return bare


def test_rows_that_dedup_has_not_compared_are_neither_shown_nor_balanced(chess):
    with stopped_at("curator.curate.deduplicate_corpus"):
        run(["-q", "-C", str(chess), "curate"])
    # Any command that publishes makes up for the killed one.
    assert run(["-q", "-C", str(chess), "ingest", "markdown"]) == 0
    assert ask(chess, "select count(*) from examples") == [(3,)]
    assert ask(chess, "select count(*) from corpus") == [(0,)]
    assert run(["-q", "-C", str(chess), "curate"]) == 0
    assert ask(chess, "select count(*) from corpus where source = 'dataset'") == [(2,)]


def test_signatures_and_what_is_decided_by_them_are_stored_together(chess):
    with stopped_at("curator.deduplicate._write"):
        run(["-q", "-C", str(chess), "curate"])
    with open_warehouse(chess / "curator.db") as warehouse:
        assert warehouse.connection.execute("select count(*) from signature").fetchall() == [(0,)]


def test_a_kill_while_the_database_is_made_leaves_none_rather_than_half_of_one(tmp_path):
    path = tmp_path / "curator.db"
    with stopped_at("warehouse.store.migrate"), open_warehouse(path):
        pytest.fail("must not open")
    assert not path.exists()
    (tmp_path / "curator.db.tmp").mkdir()
    (tmp_path / "curator.db.tmp-fresh").write_bytes(b"half a header")
    with open_warehouse(path) as warehouse:
        assert len(warehouse.read_salt()) == 16
    assert [file.name for file in tmp_path.iterdir()] == ["curator.db"]


def test_an_export_that_was_killed_after_the_exchange_leaves_nothing_for_ever(chess, tmp_path):
    out = tmp_path / "set"
    for words in (["curate"], ["balance"], ["export", "-f", "messages", "-o", str(out)]):
        assert run(["-q", "-C", str(chess), *words]) == 0
    # The new folder is in its place, the older one was not deleted yet; a number that no process can have.
    shutil.copytree(out, tmp_path / f".curator-tmp-{1 << 30}-set")
    assert run(["-q", "-C", str(chess), "export", "-f", "messages", "-o", str(out)]) == 0
    assert not list(tmp_path.glob(".curator-tmp-*"))


def test_a_release_never_lacks_its_lock_and_an_export_off_the_record_is_forgotten_too(chess):
    assert run(["-q", "-C", str(chess), "curate"]) == 0
    with stopped_at("curator.balance.release._write"):
        run(["-q", "-C", str(chess), "balance"])
    (lock,) = (chess / "releases").glob("*/corpus.lock")
    before = lock.read_bytes()
    assert run(["-q", "-C", str(chess), "balance"]) == 0
    assert lock.read_bytes() == before
    assert run(["-q", "-C", str(chess), "export", "-f", "messages"]) == 0
    # As a kill between folder and record leaves it.
    release = chess / "exports" / lock.parent.name
    shutil.copytree(release / "messages", release / "sharegpt")
    (member,) = ask(chess, "select url, natural_key from documents where natural_key like '%rows.jsonl%' limit 1")
    assert run(["-q", "-C", str(chess), "forget", "--id", member[1], "--json"]) == 0
    assert not release.exists()


def test_readers_find_a_snapshot_at_every_moment_of_forgetting(chess, monkeypatch):
    project = open_project(chess)
    seen = []
    unlink = Path.unlink

    def watch(path, *given, **more):
        unlink(path, *given, **more)
        if path.parent == project.snapshots:
            seen.append(len(list(project.snapshots.glob("[0-9]*.db"))))

    monkeypatch.setattr(Path, "unlink", watch)
    numbers = {path.stem for path in project.snapshots.glob("[0-9]*.db")}
    (key,) = ask(chess, "select natural_key from documents limit 1")
    assert run(["-q", "-C", str(chess), "forget", "--id", key[0], "--json"]) == 0
    assert seen
    assert min(seen) >= 1
    (left,) = project.snapshots.glob("[0-9]*.db")
    assert left.stem > max(numbers)


def test_init_leaves_no_half_of_a_settings_file(tmp_path):
    with stopped_at("os.fsync"):
        run(["-q", "init", str(tmp_path / "coach"), "--pack", "fitness"])
    assert not (tmp_path / "coach" / "curator.toml").exists()
    assert run(["-q", "init", str(tmp_path / "coach"), "--pack", "fitness"]) == 0
    assert [path.name for path in (tmp_path / "coach").iterdir()] == ["curator.toml"]


def test_a_loss_curve_that_finds_no_room_is_an_error_of_the_disk(tmp_path):
    (tmp_path / "loss.pdf").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        plot_loss([{"step": step, "tokens": 10 * step, "loss": 1 / step} for step in (1, 2, 3)], tmp_path, "a run")


def test_init_tells_a_full_disk_from_a_wrong_path(tmp_path, monkeypatch, capfd):
    (tmp_path / "file").touch()
    assert run(["-q", "init", str(tmp_path / "file" / "coach")]) == 2
    assert "name a folder that can be made" in capfd.readouterr().err

    def refuse(path, *_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert run(["-q", "init", str(tmp_path / "coach")]) == 1
    assert "free some space" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("number", "hint"),
    [(errno.EROFS, "rights of the folder"), (errno.ENOSPC, "free some space"), (errno.EIO, "the disk fails")],
)
def test_what_the_system_refuses_is_one_line_with_a_hint(number, hint, capfd):
    assert explain(OSError(number, os.strerror(number), "/somewhere/lock")) == 1
    line, advice = capfd.readouterr().err.strip().splitlines()
    assert line == f"curator: /somewhere/lock: {os.strerror(number)}"
    assert hint in advice


HOLDER = """
import fcntl, os, sys, time, json
descriptor = os.open(sys.argv[1], os.O_RDWR)
fcntl.flock(descriptor, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.readline()
os.ftruncate(descriptor, 0)
os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "command": "curate", "since": "today"}).encode(), 0)
sys.stdin.read()
"""


def test_who_has_just_taken_the_lock_is_named_and_never_the_dead_one_before(tmp_path):
    path = tmp_path / ".curator" / "lock"
    path.parent.mkdir()
    with subprocess.Popen([sys.executable, "-c", "pass"]) as dead:
        dead.wait()
    path.write_text(json.dumps({"pid": dead.pid, "command": "balance", "since": "yesterday"}))
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        assert read_owner(path) is None

        def tell():
            holder.stdin.write("\n")
            holder.stdin.flush()

        threading.Timer(0.3, tell).start()
        with pytest.raises(LockedError, match=rf"PID {holder.pid} \(curator curate"), hold_lock(path, "x"):
            pytest.fail("must not get the lock")
        holder.communicate("")
    descriptor = os.open(path, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)
