import subprocess
import sys

import numpy as np
import pytest

import curator.dedup
from curator.cache import read_cached
from curator.dedup import native


def test_importing_the_package_loads_no_heavy_library():
    code = "import sys, curator.dedup; print(sorted({'numpy', 'polars', 'numba', 'llvmlite'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_a_search_with_kernels_on_disk_loads_no_numba():
    native.load_kernels()
    code = (
        "import sys; from curator.dedup import find_duplicates;"
        "found = find_duplicates([f'text number {at} of many' for at in range(1500)] * 2);"
        "print(len(found.removed), sorted({'numba', 'llvmlite', 'scipy', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "1500 ['llvmlite']"


def test_every_public_name_is_there():
    for name in curator.dedup.__all__:
        assert getattr(curator.dedup, name).__doc__
    with pytest.raises(AttributeError, match="no_such_name"):
        curator.dedup.no_such_name  # noqa: B018


def test_where_nothing_can_be_written_the_kernels_still_run(tmp_path, monkeypatch):
    native.load_kernels()
    code = read_cached(native.kernel_path())[native._TABLE_BYTES :]
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setattr(native, "kernel_path", lambda: tmp_path / "file" / "below" / "dedup-1.kernels")
    monkeypatch.setattr(native, "compile_kernels", lambda: code)
    keys = np.array([5, 7, 5], dtype=np.uint64)
    slots, first = np.full(16, 0xFFFFFFFFFFFFFFFF, dtype=np.uint64), np.empty(3, dtype=np.int64)
    native.load_kernels.__wrapped__().call("find_first_equal", keys, 3, slots, 15, first)
    assert first.tolist() == [0, 1, 0]
