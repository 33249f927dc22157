"""How time and memory grow: near-duplicates of 100,000 to 10,000,000 posts; see README.md beside this file.

    python bench/dedup/scale.py FOLDER --rows 100000 1000000 10000000

New posts are made of four quarters of different posts of the corpus that `run.py` uses, one third of the rows are edited
copies of them; they are written block by block, so the memory of making them does not count. Each size is searched in a
process of its own, which reads the Parquet file and reports its peak resident memory, text included.
"""

import argparse
import json
import math
import os
import platform
import resource
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "bench" / "build" / "dedup"
BASE_ROWS = 200_000
BLOCK_ROWS = 300_000


def main() -> None:
    arguments = read_arguments()
    if arguments.search:
        print(json.dumps(search(arguments.search)))
        return
    results = []
    for num_rows in arguments.rows:
        folder = make_corpus(arguments.data, num_rows)
        done = subprocess.run(
            [sys.executable, str(HERE / "scale.py"), str(arguments.data), "--search", str(folder)],
            check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        results.append(json.loads(done.stdout))
        print(results[-1], file=sys.stderr, flush=True)
    print(f"{date.today()}, {platform.processor() or platform.machine()}, {os.cpu_count()} CPUs\n")
    print(format_table(results))


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of CSV files with the columns title and selftext")
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--search", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def make_corpus(data: Path, num_rows: int) -> Path:
    """Write the posts as Parquet files of one block each, if they are not there; return the folder."""
    folder = BUILD / f"scale-{num_rows}"
    if (folder / "done").exists():
        return folder
    from run import make_corpus as make_base

    folder.mkdir(parents=True, exist_ok=True)
    base = pl.read_parquet(make_base(data, BASE_ROWS))["text"]
    for number, start in enumerate(range(0, num_rows, BLOCK_ROWS)):
        block = make_block(base, min(BLOCK_ROWS, num_rows - start), number)
        pl.DataFrame({"text": block}).write_parquet(folder / f"{number:04}.parquet")
    (folder / "done").touch()
    return folder


def make_block(base: pl.Series, num_rows: int, seed: int) -> pl.Series:
    """Return posts in random order, a third of them edited copies of another."""
    generator = np.random.default_rng(seed)
    num_new = num_rows - num_rows // 3
    quarters = pl.DataFrame([base.gather(generator.integers(0, len(base), num_new)).alias(f"q{at}") for at in range(4)])
    new = quarters.select(pl.concat_str([take_quarter(pl.col(f"q{at}"), at) for at in range(4)]).alias("text"))["text"]
    copies = new.gather(generator.integers(0, num_new, num_rows - num_new)).to_frame("text").with_row_index("at")
    text = pl.col("text")
    edited = copies.select(
        pl.when(pl.col("at") % 6 == 0).then(text)
        .when(pl.col("at") % 6 == 1).then(text.str.to_uppercase())
        .when(pl.col("at") % 6 == 2).then(text + " EDIT: Thanks for all the replies!")
        .when(pl.col("at") % 6 == 3).then(text.str.head(text.str.len_chars() * 9 // 10))
        .when(pl.col("at") % 6 == 4).then(text.str.replace_all(" the ", " a ", literal=True))
        .otherwise(text.str.replace_all(", ", " , ", literal=True))
    )["text"]  # fmt: skip
    return pl.concat([new, edited]).gather(generator.permutation(num_rows))


def take_quarter(text: pl.Expr, quarter: int) -> pl.Expr:
    size = text.str.len_chars()
    return text.str.slice(size * quarter // 4, size * (quarter + 1) // 4 - size * quarter // 4)


def search(folder: Path) -> dict[str, float]:
    from curator.dedup import find_duplicates

    find_duplicates(["one text", "one text"])
    texts = pl.read_parquet(folder / "*.parquet")["text"]
    loaded = peak_mb()
    start, cpu_start = time.perf_counter(), time.process_time()
    found = find_duplicates(texts)
    return {
        "rows": len(texts),
        "text_mb": texts.str.len_bytes().sum() / 1e6,
        "removed": found.removed.height,
        "capped": found.capped.comparisons,
        "wall_s": time.perf_counter() - start,
        "cpu_s": time.process_time() - cpu_start,
        "loaded_mb": loaded,
        "peak_mb": peak_mb(),
    }


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def format_table(results: list[dict[str, float]]) -> str:
    lines = ["| rows | text MB | removed | wall s | CPU s | peak RSS MB | exponent |", "|---|---|---|---|---|---|---|"]
    for at, run in enumerate(results):
        before = results[at - 1] if at else None
        exponent = math.log(run["cpu_s"] / before["cpu_s"]) / math.log(run["rows"] / before["rows"]) if before else None
        lines.append(
            f"| {run['rows']:,.0f} | {run['text_mb']:,.0f} | {run['removed']:,.0f} | {run['wall_s']:.2f} "
            f"| {run['cpu_s']:.2f} | {run['peak_mb']:,.0f} | {'' if exponent is None else f'{exponent:.2f}'} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    main()
