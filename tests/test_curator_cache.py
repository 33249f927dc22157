"""What is costly to make is kept for all projects, and a file that is lost or damaged is made anew."""

import os
import time

from curator.cache import KEEP, cache_folder, read_cached, write_cached


def test_a_damaged_or_missing_file_is_not_read(tmp_path):
    path = tmp_path / "model-1.npz"
    write_cached(path, b"what was made")
    assert read_cached(path) == b"what was made"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert read_cached(path) is None
    path.write_bytes(data[:20])
    assert read_cached(path) is None
    assert read_cached(tmp_path / "missing") is None


def test_nothing_happens_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    write_cached(tmp_path / "file" / "below" / "model-1.npz", b"what was made")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_newest_of_a_kind_stay(tmp_path):
    write_cached(tmp_path / "other-0.npz", b"another kind")
    for number in range(KEEP + 3):
        path = tmp_path / f"model-{number:02}.npz"
        write_cached(path, b"what was made")
        os.utime(path, ns=(number, number))
    write_cached(tmp_path / "model-last.npz", b"what was made")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [*(f"model-{number:02}.npz" for number in range(4, KEEP + 3)), "model-last.npz", "other-0.npz"]


def test_what_is_read_counts_as_new_and_what_a_killed_process_left_is_swept(tmp_path):
    for number in range(KEEP):
        path = tmp_path / f"model-{number}.npz"
        write_cached(path, b"what was made")
        os.utime(path, ns=(number, number))
    assert read_cached(tmp_path / "model-0.npz") == b"what was made"
    for name, age_s in ((".tmp-old", 7200), (".tmp-young", 60)):
        (tmp_path / name).write_bytes(b"torn")
        os.utime(tmp_path / name, (time.time() - age_s,) * 2)
    write_cached(tmp_path / "model-last.npz", b"what was made")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        ".tmp-young",
        "model-0.npz",
        *(f"model-{number}.npz" for number in range(2, KEEP)),
        "model-last.npz",
    }


def test_the_folder_can_be_named(tmp_path, monkeypatch):
    monkeypatch.setenv("CURATOR_CACHE_DIR", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"
    monkeypatch.delenv("CURATOR_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "curator"
