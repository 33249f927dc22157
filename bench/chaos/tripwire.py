"""The tripwire of `tripwire.c`: compiled, loaded into this process and its children, and armed in one of them."""

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

KILL, TEAR, FAIL = 1, 2, 3
SOURCE = Path(__file__).with_suffix(".c")
NEVER = 1 << 60


def load_tripwire() -> bool:
    """Starts this program again with the tripwire in it; gives whether it is there (a C compiler is needed)."""
    if "tripwire" in os.environ.get("LD_PRELOAD", ""):
        return True
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        return False
    library = Path(tempfile.mkdtemp(prefix="chaos-")) / "tripwire.so"
    command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
    is_built = subprocess.run(command, capture_output=True, check=False).returncode == 0
    if is_built:
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "LD_PRELOAD": str(library)})
    return is_built


def arm(folder: Path, mode: int = 0, nth: int = NEVER, error_number: int = 0) -> None:
    """Makes the n-th change of a file under `folder` by this process a disaster."""
    ctypes.CDLL(None).chaos_arm(os.fsencode(folder), mode, ctypes.c_long(nth), error_number)


def count_changes() -> tuple[int, int]:
    """Gives how many changes this process has made since it was armed, and how many of them a full disk makes fail."""
    counts = []
    for ask in (ctypes.CDLL(None).chaos_count, ctypes.CDLL(None).chaos_count_failable):
        ask.restype = ctypes.c_long
        counts.append(int(ask()))
    return counts[0], counts[1]
