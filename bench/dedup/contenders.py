"""Each library's way to find near-duplicate posts: a function from texts to pairs (left, right) with left < right.

All of them lower-case the text, take runs of letters and digits for words and compare word 5-grams, at Jaccard 0.8.
`tokens` is part of the time of those that take token lists, as their users pay for it too.
"""

import re

import numpy as np

THRESHOLD = 0.8
NUM_PERM = 128
_WORD = re.compile(r"[^\W_]+")


def tokens(text):
    words = _WORD.findall(text.lower())
    return [" ".join(words[at : at + 5]) for at in range(max(1, len(words) - 4))] if words else []


def as_pairs(groups):
    """Pairs of each row with its candidates."""
    found = {(min(row, other), max(row, other)) for row, others in groups for other in others if row != other}
    return np.array(sorted(found), dtype=np.uint32).reshape(-1, 2)


def curator(texts):
    from curator.dedup import find_duplicates

    return find_duplicates(texts, THRESHOLD)


def curator_pairs(texts):
    from curator.dedup import find_pairs

    return find_pairs(texts, THRESHOLD, "lsh").select("left", "right").to_numpy()


def curator_exact(texts):
    from curator.dedup import find_pairs

    return find_pairs(texts, THRESHOLD, "exact").select("left", "right").to_numpy()


def datasketch_default(texts):
    from datasketch import MinHash, MinHashLSH

    lsh = MinHashLSH(threshold=THRESHOLD, num_perm=NUM_PERM)
    groups = []
    for row, text in enumerate(texts):
        shingles = [token.encode() for token in tokens(text)]
        if not shingles:
            continue
        sketch = MinHash(NUM_PERM)
        sketch.update_batch(shingles)
        groups.append((row, lsh.query(sketch)))
        lsh.insert(row, sketch, check_duplication=False)
    return as_pairs(groups)


def rensa(texts):
    from rensa import RMinHashDeduplicator

    index = RMinHashDeduplicator(THRESHOLD, NUM_PERM, True)
    lists = [tokens(text) for text in texts]
    index.add_pairs([(str(row), shingles) for row, shingles in enumerate(lists)])
    found = index.get_duplicate_sets(lists)
    return as_pairs((row, map(int, others)) for row, others in enumerate(found))


def fastsketchlsh(texts):
    from FastSketchLSH import LSH, FastSimilaritySketch

    sketches = FastSimilaritySketch(NUM_PERM).batch([tokens(text) for text in texts])
    index = LSH(NUM_PERM, 16)
    index.insert(sketches)
    flat, starts = index.query(sketches, "csr")
    flat, starts = np.asarray(flat), np.asarray(starts)
    return as_pairs((row, flat[starts[row] : starts[row + 1]].tolist()) for row in range(len(texts)))


def gaoya(texts):
    from gaoya.minhash import MinHashStringIndex

    index = MinHashStringIndex(32, THRESHOLD, 16, 8, None, "word", True, (5, 5))
    # To gaoya all texts of fewer than five words are the same (empty) set, so they are left out.
    rows = [row for row, text in enumerate(texts) if len(text.split()) >= 5]
    long = [texts[row] for row in rows]
    index.par_bulk_insert_docs(rows, long)
    return as_pairs(zip(rows, index.par_bulk_query(long), strict=True))


def daft_join(texts):
    import daft
    import polars as pl
    from daft import col

    frame = daft.from_pydict({"text": texts})
    normal = col("text").normalize(lowercase=True, remove_punct=True, white_space=True)
    signatures = np.array(frame.select(normal.minhash(num_hashes=64, ngram_size=5).alias("m")).to_pydict()["m"])
    bands = signatures.astype(np.uint32).reshape(len(texts), 16, 4)
    parts = []
    for band in range(16):
        keys = pl.DataFrame({"row": np.arange(len(texts), dtype=np.uint32)}).with_columns(
            pl.Series(f"k{at}", bands[:, band, at]) for at in range(4)
        )
        names = [f"k{at}" for at in range(4)]
        met = keys.join(keys, on=names, suffix="_other").filter(pl.col("row") < pl.col("row_other"))
        parts.append(met.select("row", "row_other"))
    return pl.concat(parts).unique().to_numpy()


CONTENDERS = {
    "curator": curator_pairs,
    "curator duplicates": curator,
    "curator exact": curator_exact,
    "datasketch": datasketch_default,
    "rensa": rensa,
    "fastsketchlsh": fastsketchlsh,
    "gaoya": gaoya,
    "daft + join": daft_join,
}
