"""Serves a GGUF file on this machine: llama.cpp in a process of its own, over HTTP on a free port of the loopback.

A process of its own, because llama.cpp keeps its memory until its process ends and a damaged file may end it.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from schemas.errors import DeployError

CHILD = Path(__file__).with_name("local_server_child.py")
CONTEXT_LENGTH = 4096
SMALL_BYTES = 64 << 20
"""Up to here a token takes less time than threads lose by waiting for each other: ten times as long on a busy machine."""
START_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class LocalServer:
    """A server that runs.

    Attributes:
        url: Where it listens; `/v1/chat/completions`, `/v1/models` and `/health` are there.
        pid: Its process.
    """

    url: str
    pid: int


@contextlib.contextmanager
def serve_gguf(
    path: Path, *, context_length: int = CONTEXT_LENGTH, threads: int | None = None, timeout_s: float = START_TIMEOUT_S
) -> Iterator[LocalServer]:
    """Gives a running server; it ends with the block, or with this process however that ends.

    Args:
        path: The GGUF file.
        context_length: Tokens of a conversation; a model trained on fewer gets no more than those.
        threads: Of the processor; one for a small file, else llama.cpp's choice, if absent.
        timeout_s: Seconds until it must have loaded.

    Raises:
        DeployError: xllamacpp is not installed, the file is damaged or of another kind, or it does not load in time.
    """
    if not path.is_file():
        raise DeployError(f"{path}: no such file", "curator deploy writes model.gguf")
    threads = threads or (1 if path.stat().st_size <= SMALL_BYTES else None)
    settings = json.dumps({"path": str(path.resolve()), "context_length": context_length, "threads": threads})
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", str(CHILD), settings],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        try:
            yield LocalServer(_wait_for_url(process, log, path, timeout_s), process.pid)
        finally:
            # The child waits for the end of its input; a stuck one is killed.
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                process.communicate(timeout=STOP_TIMEOUT_S)
            process.kill()
            process.wait()


def _wait_for_url(process: "subprocess.Popen[str]", log: IO[str], path: Path, timeout_s: float) -> str:
    watchdog = threading.Timer(timeout_s, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline() if process.stdout else ""
    finally:
        watchdog.cancel()
    try:
        return str(json.loads(line)["url"])
    except (ValueError, KeyError, TypeError) as error:
        process.kill()
        process.wait()
        raise DeployError(f"{path}: llama.cpp does not load it: {_read_reason(log)}", _hint(path)) from error


def _read_reason(log: IO[str]) -> str:
    log.seek(0)
    lines = [line.strip() for line in log.read().splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or "failed" in line.lower()] or lines
    return telling[-1][:200] if telling else "it ended without a word"


def _hint(path: Path) -> str:
    from importlib.util import find_spec

    if find_spec("xllamacpp") is None:
        return "pip install 'corpus-curator[gguf]'"
    return f"write {path.name} again: curator deploy"
