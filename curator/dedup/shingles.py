"""From texts to shingle hashes, with numpy alone: the path that needs no compiled kernel.

The result is ragged, so it is held as one flat array and offsets: row `i` owns `values[offsets[i]:offsets[i + 1]]`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curator.dedup.hashing import I64, U64, finish, fold_runs, hash_characters, hash_words
from curator.dedup.jaccard import Kind
from curator.dedup.normalize import split_words


@dataclass(frozen=True)
class Ragged:
    """Rows of differing length: `values` (total,) uint64 and `offsets` (num_rows + 1,) int64."""

    values: U64
    offsets: I64

    def counts(self) -> I64:
        """Return the length of each row."""
        return np.diff(self.offsets)

    def rows(self) -> I64:
        """Return the row number of each value."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.counts())

    def take(self, rows: I64) -> "Ragged":
        """Return the given rows, in the given order."""
        counts = self.counts()[rows]
        offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts)))
        index = np.arange(offsets[-1]) - np.repeat(offsets[:-1] - self.offsets[:-1][rows], counts)
        return Ragged(self.values[index], offsets)


def hash_tokens(texts: Sequence[str], *, kind: Kind = "word", mask_numbers: bool = False) -> Ragged:
    """Return the token hashes of each text: of its words, or of the characters of its canonical form."""
    word_lists = [split_words(text, mask_numbers=mask_numbers) for text in texts]
    if kind == "word":
        values = hash_words([word for words in word_lists for word in words])
        counts = [len(words) for words in word_lists]
    else:
        joined = [" ".join(words) for words in word_lists]
        values = hash_characters("".join(joined))
        counts = [len(text) for text in joined]
    return Ragged(values, np.concatenate(([0], np.cumsum(counts, dtype=np.int64))).astype(np.int64))


def shingle_tokens(tokens: Ragged, ngram: int) -> Ragged:
    """Return the shingle hashes of each row, in text order and with repetitions.

    A row of fewer than `ngram` tokens has one shingle, of all its tokens; an empty row has none.
    """
    counts = tokens.counts()
    shingle_counts = np.where(counts >= ngram, counts - ngram + 1, np.minimum(counts, 1))
    offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(shingle_counts)))
    starts = np.arange(offsets[-1]) + np.repeat(tokens.offsets[:-1] - offsets[:-1], shingle_counts)
    lengths = np.repeat(np.minimum(counts, ngram), shingle_counts)
    return Ragged(finish(fold_runs(tokens.values, starts, lengths)), offsets)


def distinct_rows(ragged: Ragged) -> Ragged:
    """Return each row sorted and without repetitions."""
    rows = ragged.rows()
    order = np.lexsort((ragged.values, rows))
    values, rows = ragged.values[order], rows[order]
    is_new = np.ones(len(values), dtype=bool)
    is_new[1:] = (values[1:] != values[:-1]) | (rows[1:] != rows[:-1])
    counts = np.bincount(rows[is_new], minlength=len(ragged.offsets) - 1)
    return Ragged(values[is_new], np.concatenate(([0], np.cumsum(counts))).astype(np.int64))


def hash_streams(shingles: Ragged) -> U64:
    """Return one hash a row over all its shingles in text order, 0 for an empty row: equal texts, equal hash.

    It is the sum of shingle k times (2k + 1), mixed; as a sum it can be taken in any order, eight at a time.
    """
    counts = shingles.counts()
    place = np.arange(len(shingles.values)) - np.repeat(shingles.offsets[:-1], counts)
    weighted = shingles.values * (2 * place + 1).astype(np.uint64)
    hashes = np.zeros(len(counts), dtype=np.uint64)
    filled = counts > 0
    if filled.any():
        hashes[filled] = finish(np.add.reduceat(weighted, shingles.offsets[:-1][filled]))
    return hashes
