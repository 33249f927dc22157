"""Run one contender in a process of its own: measure.py NAME CORPUS.parquet PAIRS.npy [cold]

Prints one line of JSON: seconds of the measured call (on the clock, and of all processors), growth of the resident memory in MB, number of pairs. Unless
"cold" is given, a run on a few rows comes first, so that loading code is not measured.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

WARM_ROWS = 2_000


def main(name: str, corpus: str, output: str, mode: str = "warm") -> None:
    import polars as pl
    from contenders import CONTENDERS

    find = CONTENDERS[name]
    series = pl.read_parquet(corpus)["text"]
    texts = series if name.startswith("curator") else series.to_list()
    if mode == "warm":
        find(texts[:WARM_ROWS])
    before = peak_mb()
    start, cpu_start = time.perf_counter(), time.process_time()
    pairs = find(texts)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    growth = peak_mb() - before
    if isinstance(pairs, np.ndarray):
        np.save(output, pairs)
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "growth_mb": growth}))


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main(*sys.argv[1:])
