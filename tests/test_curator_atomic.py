"""Whole old file or whole new one; what killed runs left goes, what belongs to others stays."""

import os
import subprocess
import sys

import pytest

from curator.atomic import TEMPORARY, replace_folder, sweep, write_file
from schemas.errors import ExportError

KILLED = """
import os, signal, sys
from pathlib import Path
from curator.atomic import replace_folder
with replace_folder(Path(sys.argv[1])) as folder:
    (folder / "train.jsonl").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_and_no_temporary_stays(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    write_file(path, b"old")
    write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(path.parent) == ["a.txt"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "kept").write_text("x")
    with pytest.raises(ExportError, match="folder"):
        write_file(path, b"new")
    assert names(tmp_path) == ["folder"]
    assert names(path) == ["kept"]


def test_a_folder_takes_the_place_of_the_old_one_whole(tmp_path):
    target = tmp_path / "export"
    for text in ("old", "new"):
        with replace_folder(target) as folder:
            (folder / f"{text}.txt").write_text(text)
            if text == "new":
                assert names(target) == ["old.txt"]
    assert names(target) == ["new.txt"]
    assert names(tmp_path) == ["export"]


def test_an_error_while_a_folder_is_filled_leaves_the_old_one(tmp_path):
    target = tmp_path / "export"
    with replace_folder(target) as folder:
        (folder / "old.txt").write_text("old")

    def fail():
        with replace_folder(target) as folder:
            (folder / "new.txt").write_text("new")
            raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        fail()
    assert names(target) == ["old.txt"]
    assert names(tmp_path) == ["export"]


def test_a_kill_leaves_the_old_folder_and_the_next_write_sweeps_the_rest(tmp_path):
    target = tmp_path / "export"
    with replace_folder(target) as folder:
        (folder / "old.txt").write_text("old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(target)], check=False)
    assert done.returncode == -9
    assert names(target) == ["old.txt"]
    assert len(names(tmp_path)) == 2
    write_file(tmp_path / "other.txt", b"x")
    assert names(tmp_path) == ["export", "other.txt"]


def test_a_temporary_of_an_earlier_process_with_our_own_number_is_no_obstacle(tmp_path):
    left = tmp_path / f"{TEMPORARY}{os.getpid()}-export"
    left.mkdir()
    (left / "torn.txt").write_text("torn")
    with replace_folder(tmp_path / "export") as folder:
        (folder / "new.txt").write_text("new")
    assert names(tmp_path / "export") == ["new.txt"]
    assert names(tmp_path) == ["export"]


def test_files_of_others_and_of_living_processes_are_never_swept(tmp_path):
    for name in (".tmp-mine", ".tmp-1234-mine", f"{TEMPORARY}notes", f"{TEMPORARY}1-alive"):
        (tmp_path / name).write_text("x")
    (tmp_path / f"{TEMPORARY}4194999-dead").write_text("x")
    sweep(tmp_path)
    write_file(tmp_path / "a.txt", b"x")
    assert names(tmp_path) == [f"{TEMPORARY}1-alive", f"{TEMPORARY}notes", ".tmp-1234-mine", ".tmp-mine", "a.txt"]
