"""A benchmark corpus of short posts with known edits, made from a folder of CSV files of real posts.

Two thirds of the rows are new posts: each sentence is the beginning of one real sentence and the end of another of the
same file, so that new posts share wording, as real ones do, but no whole sentences. One third are edited copies of
such a post, a sixth of them each: exact, format (case, punctuation, spacing), boilerplate (a greeting or an edit note
added), shuffle (sentences reordered), truncate (the end is missing) and substitute (some words replaced).
"""

import csv
import random
import re
from pathlib import Path

EDITS = ("exact", "format", "boilerplate", "shuffle", "truncate", "substitute")
BOILERPLATE = (
    "Hi everyone, long time lurker, first time poster here. ",
    "Sorry for the formatting, I am on mobile. ",
    " EDIT: Thanks for all the replies, you are the best!",
    " TL;DR: see the title. Thanks in advance for any help.",
)
_SENTENCE = re.compile(r"[^.!?\n]{12,}[.!?]*")


def read_sentences(folder: Path) -> list[list[str]]:
    """Return the sentences of each CSV file (columns title and selftext), files in order of their names."""
    csv.field_size_limit(1 << 24)
    pools = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            posts = [f"{row['title']}\n{row['selftext'] or ''}" for row in csv.DictReader(file)]
        pools.append([match.group().strip() for post in posts for match in _SENTENCE.finditer(post)])
    if not pools:
        raise SystemExit(f"{folder}: no CSV files with the columns title and selftext")
    return pools


def build_corpus(folder: Path, num_rows: int, seed: int = 0) -> list[str]:
    """Return the texts, in random order; the same folder, size and seed give the same texts."""
    generator = random.Random(seed)
    pools = read_sentences(folder)
    num_new = num_rows - num_rows // 3
    posts = [_new_post(generator, pools) for _ in range(num_new)]
    vocabulary = [word for pool in pools for sentence in pool[:200] for word in sentence.split()]
    copies = [
        _edit(generator, EDITS[at % len(EDITS)], generator.choice(posts), vocabulary)
        for at in range(num_rows - num_new)
    ]
    texts = [" ".join(post) for post in posts] + copies
    generator.shuffle(texts)
    return texts


def _new_post(generator: random.Random, pools: list[list[str]]) -> list[str]:
    pool = generator.choice(pools)
    size = min(40, 1 + int(generator.expovariate(0.2)))
    return [_splice(*generator.choices(pool, k=2)) for _ in range(size)]


def _splice(first: str, second: str) -> str:
    head, tail = first.split(), second.split()
    return " ".join(head[: (len(head) + 1) // 2] + tail[len(tail) // 2 :])


def _edit(generator: random.Random, edit: str, post: list[str], vocabulary: list[str]) -> str:
    text = " ".join(post)
    if edit == "format":
        return generator.choice((str.upper, str.title, str.lower))(text).replace(". ", "\n\n* ").replace(",", " ,")
    if edit == "boilerplate":
        added = generator.choice(BOILERPLATE)
        return added + text if added[-1] == " " else text + added
    if edit == "shuffle":
        return " ".join(generator.sample(post, len(post)))
    if edit == "truncate":
        return text[: int(len(text) * generator.uniform(0.6, 1.0))]
    if edit == "substitute":
        rate = generator.uniform(0.0, 0.06)
        words = text.split()
        return " ".join(generator.choice(vocabulary) if generator.random() < rate else word for word in words)
    return text
