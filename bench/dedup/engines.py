"""The keep set on Daft, natively and on a local Ray cluster of two workers, beside that of one process.

    python bench/dedup/engines.py FOLDER --rows 200000

Needs the extra `scale` and, for the cluster, `ray`. Exits 1 when an engine keeps other rows than this process.
"""

import argparse
import sys
import time
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent
ENGINES = ("daft", "ray")
DRIVER_PAIRS = 2_000
"""Few, so that components are cut and decided upon in parts, as they are when edges do not fit the driver."""


def main() -> None:
    arguments = read_arguments()
    from run import make_corpus

    path = make_corpus(arguments.data, arguments.rows)
    rows = pl.read_parquet(path).with_row_index("id")
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    part = len(rows) // 4 + 1
    for start in range(0, len(rows), part):
        rows[start : start + part].write_parquet(folder / f"{start:08}.parquet")
    if arguments.engine is None:
        compare(arguments.data, arguments.rows)
        return
    start = time.perf_counter()
    kept = search(arguments.engine, rows, folder)
    print(
        f"{arguments.engine}: {len(kept):,} of {len(rows):,} rows kept, {time.perf_counter() - start:.1f} s", flush=True
    )
    kept.sort().to_frame("id").write_parquet(folder.parent / f"kept-{arguments.engine}.parquet")


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of CSV files with the columns title and selftext")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--engine", choices=("local", *ENGINES, "parts"), help=argparse.SUPPRESS)
    return parser.parse_args()


def compare(data: Path, num_rows: int) -> None:
    """Run each engine in a process of its own, as Daft's runner is chosen once a process."""
    import subprocess

    from run import BUILD

    for engine in ("local", *ENGINES, "parts"):
        command = [sys.executable, str(HERE / "engines.py"), str(data), "--rows", str(num_rows), "--engine", engine]
        subprocess.run(command, check=True)
    kept = {engine: pl.read_parquet(BUILD / f"kept-{engine}.parquet") for engine in ("local", *ENGINES, "parts")}
    for engine in (*ENGINES, "parts"):
        print(f"{engine}: {'the same rows' if kept[engine].equals(kept['local']) else 'OTHER ROWS'}")
    sys.exit(0 if all(frame.equals(kept["local"]) for frame in kept.values()) else 1)


def search(engine: str, rows: pl.DataFrame, folder: Path) -> pl.Series:
    from curator.dedup import find_duplicates

    if engine == "local":
        return find_duplicates(rows["text"], ids=rows["id"]).kept["id"]
    import daft

    from curator.dedup.daft_engine import find_duplicates_daft

    if engine == "ray":
        from ray.cluster_utils import Cluster

        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        cluster.add_node(num_cpus=1)
        daft.set_runner_ray(address=cluster.address)
    pairs = {"max_driver_pairs": DRIVER_PAIRS} if engine == "parts" else {}
    return find_duplicates_daft(daft.read_parquet(str(folder / "*.parquet")), **pairs).kept["id"]


if __name__ == "__main__":
    sys.path[:0] = [str(HERE), str(HERE.parent.parent)]
    main()
