"""Signatures identical to datasketch's, one thread, beside datasketch itself; see README.md beside this file.

    python bench/dedup/sketches.py FOLDER [--rows 20000] [--rounds 5]

datasketch is timed without what it needs before it can begin: shingles as bytes are made beforehand. Ours starts from the
texts. Rounds alternate; exits 1 when one signature differs.
"""

import argparse
import os
import statistics
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from datasketch import MinHash
from run import cpu_name, make_corpus

NUM_PERM = 128
NGRAM = 5
CORPUS_ROWS = 200_000


def main() -> None:
    from curator.dedup.normalize import split_words
    from curator.dedup.sketches import sketch_texts

    arguments = read_arguments()
    texts = pl.read_parquet(make_corpus(arguments.data, CORPUS_ROWS))["text"][: arguments.rows]
    shingled = [list_shingles(split_words(text)) for text in texts]
    sketch_texts(texts[:2_000], NUM_PERM, num_threads=1)
    ours, theirs = [], []
    for _ in range(arguments.rounds):
        started = time.process_time()
        signatures = sketch_texts(texts, NUM_PERM, num_threads=1)
        ours.append(time.process_time() - started)
        started = time.process_time()
        sketches = [sketch(shingles) for shingles in shingled]
        theirs.append(time.process_time() - started)
    is_same = bool((signatures == np.array([each.hashvalues for each in sketches])).all())
    ratios = [their / our for our, their in zip(ours, theirs, strict=True)]
    print(f"{len(texts):,} posts, {date.today()}, {cpu_name()}, one thread, load {os.getloadavg()[0]:.1f}\n")
    print("| | CPU s | texts a second |\n|---|---:|---:|")
    for name, spent in (("curator, from the texts", ours), ("datasketch, from ready shingles", theirs)):
        print(f"| {name} | {statistics.median(spent):.3f} | {len(texts) / statistics.median(spent):,.0f} |")
    told = f"median ratio {statistics.median(ratios):.1f}, from {min(ratios):.1f} to {max(ratios):.1f}"
    print(f"\n{told}; signatures {'identical' if is_same else 'DIFFER'}")
    sys.exit(not is_same)


def list_shingles(words: list[str]) -> list[bytes]:
    """Give the shingles of a text as datasketch takes them."""
    starts = range(max(1, len(words) - NGRAM + 1)) if words else ()
    return [" ".join(words[at : at + NGRAM]).encode() for at in starts]


def sketch(shingles: list[bytes]) -> MinHash:
    """Let datasketch make a signature."""
    made = MinHash(NUM_PERM)
    made.update_batch(shingles)
    return made


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of CSV files with the columns title and selftext")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main()
