"""Prepared texts: one face over the numpy path and the compiled path, and the choice between them."""

from typing import Literal, Protocol

import polars as pl

from curator.dedup.candidates import Order, Pairs
from curator.dedup.errors import DedupError
from curator.dedup.hashing import I64, U64
from curator.dedup.jaccard import Kind
from curator.dedup.minhash import U16
from curator.dedup.shingles import Ragged
from curator.dedup.verify import F64

# Below, numpy is done before the kernels are loaded; from the second number on, even compiling them pays.
NUMPY_ROWS = 1_000
COMPILE_ROWS = 75_000

Method = Literal["lsh", "exact"]


class Index(Protocol):
    """The texts of one search.

    Rows are positions in the texts. `order` arranges rows best first; `max_group` is the largest group of candidates
    that is compared in full (None: every group is). Pairs come as left rows, right rows (left < right), similarities,
    in no particular order.
    """

    streams: U64
    """One hash a text over all its words; 0 for a text without words."""

    def first_equal(self, keys: U64) -> I64:
        """Return for each row the first row with the same key."""

    def common_shingles(self, rows: I64, max_rows: int) -> U64:
        """Return the shingles that more than `max_rows` of the given texts share."""

    def drop_shingles(self, boilerplate: U64) -> None:
        """Take the given shingles out of every text that has others too."""

    def signatures(self) -> U16:
        """Return the low halves of the signatures, (num_rows, 64) uint16; they must have been asked for."""

    def shingles(self) -> Ragged:
        """Return the distinct shingles of each text, ascending."""

    def measure(self, left: I64, right: I64) -> F64:
        """Return the Jaccard similarity of each pair of rows; neither text may be empty."""

    def pair_by_bands(self, rows: I64, threshold: float, order: Order, max_group: int | None) -> Pairs:
        """Return the pairs of the given rows that share a band and reach the threshold."""

    def pair_exactly(self, rows: I64, threshold: float, *, spanning: bool = False) -> Pairs:
        """Return the pairs of the given rows that reach the threshold; if spanning, enough to connect the same rows."""


def open_index(
    texts: pl.Series,
    ngram: int = 5,
    *,
    kind: Kind = "word",
    mask_numbers: bool = False,
    num_threads: int | None = None,
    lsh_threshold: float | None = None,
    keeps_signatures: bool = False,
) -> Index:
    """Prepare the texts for search.

    Args:
        texts: Strings without nulls.
        ngram: Words (or characters) a shingle, 1 to 32.
        kind: Whether shingles are made of words or of characters.
        mask_numbers: Compare without numbers.
        num_threads: Threads of the compiled path; None takes all cores. The result does not depend on it.
        lsh_threshold: Sign the texts for this threshold in the same pass, if `pair_by_bands` will be asked for it.
        keeps_signatures: Keep the signatures (128 bytes a text), for `Index.signatures`.

    Raises:
        DedupError: `ngram` or `kind` is out of range.
    """
    if not 1 <= ngram <= 32:
        raise DedupError(f"ngram {ngram}: expected 1 to 32", "try ngram=5")
    if kind not in ("word", "char"):
        raise DedupError(f'kind "{kind}": expected "word" or "char"', 'try kind="word"')
    if wants_kernels(len(texts)):
        from curator.dedup.native_index import NativeIndex

        return NativeIndex(
            texts,
            ngram,
            kind=kind,
            mask_numbers=mask_numbers,
            num_threads=num_threads,
            lsh_threshold=lsh_threshold,
            keeps_signatures=keeps_signatures,
        )
    from curator.dedup.numpy_index import NumpyIndex

    return NumpyIndex(texts.to_list(), ngram, kind=kind, mask_numbers=mask_numbers)


def wants_kernels(num_rows: int) -> bool:
    """Return whether the compiled kernels are faster in a fresh process: yes, once they are on disk."""
    if num_rows < NUMPY_ROWS:
        return False
    from curator.dedup.native import are_compiled

    return num_rows >= COMPILE_ROWS or are_compiled()


def find_index_pairs(
    index: Index, method: Method, rows: I64, *, threshold: float, order: Order, max_group: int | None
) -> Pairs:
    """Return the pairs of the given rows, found the way `method` says; "exact" knows no cap.

    Raises:
        DedupError: The method is unknown, or the threshold out of its range.
    """
    if method == "exact":
        return index.pair_exactly(rows, threshold)
    if method == "lsh":
        return index.pair_by_bands(rows, threshold, order, max_group)
    raise DedupError(f'method "{method}": expected "lsh" or "exact"', 'try method="lsh"')
