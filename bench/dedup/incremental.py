"""What one per cent of new rows costs the dedup stage, beside a run over all rows; see README.md beside this file.

    python bench/dedup/incremental.py FOLDER --rows 200000 [--rounds 3] [--boilerplate 1000]

The rows lie screened in a database made for the purpose. Each step runs in a process of its own, as `curator curate`
does, once a round; the table shows medians. Exits 1 when the outcome is not that of a run from scratch.
"""

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import orjson
import polars as pl

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROMPT_CHARACTERS = 60
SMALL_ROWS = 2_000


def main() -> None:
    arguments = read_arguments()
    if arguments.step:
        print(json.dumps(run_step(arguments.step, arguments.data, *arguments.slice, arguments.boilerplate)))
        return
    from run import cpu_name, make_corpus

    corpus = make_corpus(arguments.data, arguments.rows)
    rounds = [run_round(corpus, arguments.rows, arguments.boilerplate) for _ in range(arguments.rounds)]
    print(
        f"{arguments.rows:,} rows, {date.today()}, {cpu_name()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}\n"
    )
    print("| | wall s | CPU s | share of a full run (CPU) |\n|---|---|---|---|")
    for name in rounds[0]:
        wall, cpu = (statistics.median(done[name][key] for done in rounds) for key in ("wall_s", "cpu_s"))
        share = statistics.median(done[name]["cpu_s"] / done["full run"]["cpu_s"] for done in rounds)
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {share:.1%} |")
    is_same = len({done[name]["hash"] for done in rounds for name in ("full run", "1 % added")}) == 1
    print(f"\nremoved: {rounds[0]['full run']['removed']:,}; from parts {'the same' if is_same else 'OTHERS'}")
    sys.exit(not is_same)


def run_round(corpus: Path, num_rows: int, boilerplate: int | None) -> dict[str, dict]:
    """Measure each step once, the full run last."""
    from run import BUILD

    old = num_rows - num_rows // 100
    extra = ["--boilerplate", str(boilerplate)] if boilerplate else []
    # Bytecode is kept, as it is where the package is installed.
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(BUILD / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:

        def step(name: str, begin: int, end: int) -> dict:
            command = [sys.executable, str(HERE / "incremental.py"), str(corpus), "--step", str(Path(folder) / name)]
            done = subprocess.run(
                [*command, "--slice", str(begin), str(end), *extra],
                check=True, capture_output=True, text=True, env=environment,
            )  # fmt: skip
            return json.loads(done.stdout.splitlines()[-1])

        steps = {"99 % first": step("parts", 0, old), "1 % added": step("parts", old, num_rows)}
        steps["nothing added"] = step("parts", 0, 0)
        shutil.rmtree(Path(folder) / "parts")
        steps[f"{SMALL_ROWS:,} rows alone"] = step("small", 0, SMALL_ROWS)
        return {**steps, "full run": step("whole", 0, num_rows)}


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of CSV files with the columns title and selftext")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--boilerplate", type=int, help="dedup.boilerplate_rows")
    parser.add_argument("--step", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--slice", type=int, nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def run_step(root: Path, corpus: Path, begin: int, end: int, boilerplate: int | None) -> dict:
    """Add rows begin to end of the corpus to the project's database and run the stage."""
    from curator.deduplicate import deduplicate_corpus
    from curator.engine import LocalEngine
    from curator.project import open_project
    from warehouse import open_warehouse

    root.mkdir(exist_ok=True)
    (root / "curator.toml").write_text('pack = "fitness"\n')
    project = open_project(root, {"dedup": {"boilerplate_rows": boilerplate}} if boilerplate else {})
    with open_warehouse(project.database) as warehouse:
        if end > begin:
            add_rows(warehouse, pl.read_parquet(corpus)["text"][begin:end].to_list(), begin)
        start, cpu_start = time.perf_counter(), time.process_time()
        done = deduplicate_corpus(project, warehouse, "screen", lambda *_: None, None, LocalEngine())
        result = {"wall_s": time.perf_counter() - start, "cpu_s": time.process_time() - cpu_start}
        verdicts = warehouse.connection.execute(
            "select subject_id, reason, round(score, 4), partner from current_verdict where stage = 'dedup' order by all"
        ).fetchall()
    return {**result, "removed": done.removed, "hash": hashlib.sha256(repr(verdicts).encode()).hexdigest()}


def add_rows(warehouse, texts: list[str], first: int) -> None:
    """Insert texts as screened examples: the beginning asks, the rest answers."""
    ids = [hashlib.blake2b(str(first + at).encode(), digest_size=16).hexdigest() for at in range(len(texts))]
    cuts = [max(text.find(" ", min(PROMPT_CHARACTERS, len(text) // 3)), 0) for text in texts]
    turns = [
        [{"role": "user", "content": text[:cut]}, {"role": "assistant", "content": text[cut:].strip() or text}]
        for text, cut in zip(texts, cuts, strict=True)
    ]
    named = pl.DataFrame({"id": ids, "messages": [orjson.dumps(row).decode() for row in turns]})
    listed = pl.concat_list("id")
    warehouse.append(
        "document",
        named.select("id", natural_key="id"),
        {
            "source": "reddit", "kind": "post", "content": "", "metadata": "{}", "licence": "", "basis": "",
            "permission": "unknown", "fetched_at": date.today(),
        },
    )  # fmt: skip
    examples = named.with_columns(input_id="id", document_id="id", document_ids=listed, unit_keys=listed)
    warehouse.append("example", examples, {"extractor": "post", "span": "", "metadata": "{}"})
    screening = {"fingerprint": "screen", "language": "en", "tokens": 80, "quality": 0.5}
    warehouse.append("screening", named.select(example_id="id"), screening)
    warehouse.append("extraction", named.select(input_id="id", example_id="id"), {"fingerprint": "extract"})
    warehouse.append("current_input", named.select(input_id="id"))
    for stage in ("extract", "screen"):
        warehouse.run("keep_stage", stage=stage, fingerprint=stage)


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    main()
