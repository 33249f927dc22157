"""Benchmark of near-duplicate search against other libraries; see README.md beside this file."""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "bench" / "build" / "dedup"
PEERS = ROOT / "bench" / "build" / "dedup-peers"
PEER_PACKAGES = ("datasketch==2.0.0", "rensa==0.5.0", "fastsketchlsh==1.0.1", "gaoya==0.2.2", "daft", "polars", "numpy")
OURS = ("curator", "curator duplicates", "curator exact")
THEIRS = ("datasketch", "rensa", "fastsketchlsh", "gaoya", "daft + join")


def main() -> None:
    arguments = read_arguments()
    corpus = make_corpus(arguments.data, arguments.rows)
    install_peers()
    names = [name for name in (*OURS, *THEIRS) if not arguments.only or name in arguments.only]
    results: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for turn in range(arguments.rounds):
        for name in names:
            results[name].append(run_contender(name, corpus, arguments.mode))
            print(f"round {turn + 1}: {name} {results[name][-1]}", file=sys.stderr, flush=True)
    truth = load_pairs(BUILD / f"{corpus.stem}-curator-exact.npy")
    print(f"{arguments.rows:,} posts, {arguments.mode}, {date.today()}, {cpu_name()}, {os.cpu_count()} CPUs\n")
    print(format_table(names, results, truth, corpus))


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of CSV files with the columns title and selftext")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mode", choices=("warm", "cold"), default="warm", help="cold: including process start")
    parser.add_argument("--only", nargs="*", choices=(*OURS, *THEIRS), help="leave the others out")
    return parser.parse_args()


def make_corpus(data: Path, num_rows: int) -> Path:
    path = BUILD / f"corpus-{num_rows}.parquet"
    if not path.exists():
        import polars as pl
        from corpus import build_corpus

        path.parent.mkdir(parents=True, exist_ok=True)
        pl.DataFrame({"text": build_corpus(data, num_rows)}).write_parquet(path)
    return path


def install_peers() -> None:
    if (PEERS / "installed").exists():
        return
    subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
    subprocess.run([str(PEERS / "bin" / "pip"), "install", "--quiet", *PEER_PACKAGES], check=True)
    (PEERS / "installed").touch()


def run_contender(name: str, corpus: Path, mode: str) -> dict[str, float]:
    python = sys.executable if name in OURS else str(PEERS / "bin" / "python")
    output = BUILD / f"{corpus.stem}-{name.replace(' ', '-')}.npy"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)} if name in OURS else dict(os.environ)
    environment["DAFT_ANALYTICS_ENABLED"] = "0"
    start, cpu_start = time.perf_counter(), children_cpu_s()
    done = subprocess.run(
        [python, str(HERE / "measure.py"), name, str(corpus), str(output), mode],
        check=True, capture_output=True, text=True, env=environment,
    )  # fmt: skip
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    if mode == "cold":
        result["seconds"] = time.perf_counter() - start
        result["cpu_seconds"] = children_cpu_s() - cpu_start
    return result


def children_cpu_s() -> float:
    """Return the processor time of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def load_pairs(path: Path) -> set[tuple[int, int]] | None:
    return set(map(tuple, np.load(path).tolist())) if path.exists() else None


def format_table(names: list[str], results: dict, truth: set | None, corpus: Path) -> str:
    median = {name: statistics.median(run["seconds"] for run in results[name]) for name in names}
    # It returns pairs, as the others do.
    ours = median.get("curator")
    lines = [
        "| | wall s | times ours | CPU s | times ours | recall | precision | memory growth MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    cpu = {name: statistics.median(run["cpu_seconds"] for run in results[name]) for name in names}
    our_cpu = cpu.get("curator")
    for name in names:
        growth = statistics.median(run["growth_mb"] for run in results[name])
        found = load_pairs(BUILD / f"{corpus.stem}-{name.replace(' ', '-')}.npy")
        quality = "| |"
        if found and truth:
            shared = len(found & truth)
            quality = f"{shared / len(truth):.5f} | {shared / len(found):.4f} |"
        factor = f"{median[name] / ours:.1f}" if ours else ""
        cpu_factor = f"{cpu[name] / our_cpu:.1f}" if our_cpu else ""
        lines.append(
            f"| {name} | {median[name]:.3f} | {factor} | {cpu[name]:.3f} | {cpu_factor} | {quality} {growth:.0f} |"
        )
    return "\n".join(lines)


def cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


if __name__ == "__main__":
    main()
