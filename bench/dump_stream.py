"""Reads a dump of a given size and compares with a bare zstandard + orjson loop: time, and peak memory.

    python bench/dump_stream.py --data FOLDER [--mb 1000]

FOLDER holds reddit/dumps/RS_sample.zst and RC_sample.zst, which are repeated into one frame with a window of 2^31
(and for the memory rows into 10 and 100 frames). Every figure is taken in a process of its own, in turns. At the end two
files that are made to fill the memory: a line of 1 GB, and zeros packed 30,000 times.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

WINDOW_LOG = 31
CHUNK_BYTES = 2**24
ROUNDS = 3
MODULES = ("orjson", "polars", "zstandard", "sources.packs.loader", "sources.reddit.dump", "sources.reddit.offline")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--mb", type=int, default=1000, help="unpacked size of the big frame in MB")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--child", choices=["bare", "curator"], help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        measure_here(arguments.child, arguments.file)
        return
    dumps = arguments.data / "reddit" / "dumps"
    if not dumps.is_dir():
        print(f"dump_stream: {dumps} is not there; nothing measured")
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in ("RC", "RS"):
            compare(dumps / f"{name}_sample.zst", Path(folder), arguments.mb * 10**6, arguments.rounds)
        for what, peak_mb in measure_refusals(Path(folder)).items():
            print(f"{what}: refused within {peak_mb:,.0f} MB (at most 300)")


def compare(sample: Path, folder: Path, size_bytes: int, rounds: int) -> None:
    big = repeat_into_one_frame(sample, folder / "big.zst", size_bytes)
    runs = [{way: measure(way, big) for way in ("bare", "curator")} for _ in range(rounds)]
    size_mb = runs[0]["bare"]["bytes"] / 1e6
    best = {way: min(run[way]["seconds"] for run in runs) for way in ("bare", "curator")}
    cpu = {way: min(run[way]["cpu"] for run in runs) for way in ("bare", "curator")}
    peak = max(run["curator"]["peak_mb"] for run in runs)
    print(f"{sample.name} repeated to {size_mb:,.0f} MB in one frame, window 2^31, best of {rounds}")
    for way, what in (("bare", "bare zstandard + orjson loop"), ("curator", "curator, documents and all  ")):
        print(f"  {what}  {best[way]:6.2f} s  {size_mb / best[way]:5.0f} MB/s  {cpu[way]:6.2f} s of processor time")
    ratios = sorted(run["curator"]["seconds"] / run["bare"]["seconds"] for run in runs)
    spread = f"of the best times, {ratios[0]:.2f} to {ratios[-1]:.2f} in turns"
    print(f"  ratio {best['curator'] / best['bare']:.2f} {spread} (at most 1.2); load {os.getloadavg()[0]:.1f}")
    print(f"  peak memory {peak:,.0f} MB = min(window, unpacked) + {peak - min(2147, size_mb):,.0f} MB (at most + 400)")
    big.unlink()
    peaks = {times: measure_frames(sample, folder, times) for times in (10, 100)}
    growth = 100 * (peaks[100] / peaks[10] - 1)
    print(f"  many frames: {peaks[10]:,.0f} MB at 10x, {peaks[100]:,.0f} MB at 100x: {growth:+.0f} % (at most +20 %)")


def measure_frames(sample: Path, folder: Path, times: int) -> float:
    path = folder / "frames.zst"
    path.write_bytes(sample.read_bytes() * times)
    return measure("curator", path)["peak_mb"]


def measure_refusals(folder: Path) -> dict[str, float]:
    import zstandard

    line, bomb = folder / "RC_line.ndjson", folder / "RC_bomb.zst"
    with line.open("wb") as file:
        file.write(b'{"id": "a", "body": "')
        for _ in range(10**9 // CHUNK_BYTES):
            file.write(b"a" * CHUNK_BYTES)
        file.write(b'"}\n')
    packer = zstandard.ZstdCompressor(level=19).compressobj()
    with bomb.open("wb") as file:
        for _ in range(2**30 // CHUNK_BYTES):
            file.write(packer.compress(bytes(CHUNK_BYTES)))
        file.write(packer.flush())
    peaks = {name: measure("curator", path)["peak_mb"] for name, path in (("a line of 1 GB", line), ("a bomb", bomb))}
    line.unlink()
    return peaks


def repeat_into_one_frame(sample: Path, target: Path, size_bytes: int) -> Path:
    import zstandard

    data = zstandard.ZstdDecompressor(max_window_size=2**WINDOW_LOG).stream_reader(sample.read_bytes()).read()
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=WINDOW_LOG, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with target.open("wb") as file:
        for _ in range(max(1, size_bytes // len(data))):
            file.write(packer.compress(data))
        file.write(packer.flush())
    return target


def measure(way: str, path: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", way, "--file", str(path)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(answer)


def measure_here(way: str, path: Path) -> None:
    # Before the clock starts: start-up is no part of the stream.
    for module in MODULES:
        import_module(module)
    run = {"bare": loop_bare, "curator": read_documents}[way]
    start, cpu_start = time.perf_counter(), time.process_time()
    rows, size_bytes = run(path)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    print(
        json.dumps(
            {"rows": rows, "bytes": size_bytes, "seconds": seconds, "cpu": cpu_seconds, "peak_mb": read_peak_mb()}
        )
    )


def read_peak_mb() -> float:
    """Linux's own high-water mark of this program; ru_maxrss would begin with that of the parent."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e6


def loop_bare(path: Path) -> tuple[int, int]:
    import orjson
    import zstandard

    rows = size_bytes = 0
    left = b""
    with path.open("rb") as file:
        reader = zstandard.ZstdDecompressor(max_window_size=2**WINDOW_LOG).stream_reader(file, read_across_frames=True)
        while chunk := reader.read(CHUNK_BYTES):
            size_bytes += len(chunk)
            *lines, left = (left + chunk).split(b"\n")
            for line in lines:
                orjson.loads(line)
            rows += len(lines)
    return rows, size_bytes


def read_documents(path: Path) -> tuple[int, int]:
    from sources.packs.loader import load_pack
    from sources.protocol import SourceContext
    from sources.reddit import RedditOptions, RedditSource

    source = RedditSource(RedditOptions(dump=[path]), SourceContext(Path(), load_pack("fitness")))
    return sum(len(batch.documents) for batch in source.read(None)), 0


if __name__ == "__main__":
    main()
