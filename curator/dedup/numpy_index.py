"""The texts of one search, prepared with numpy: for small inputs, where loading compiled code costs more."""

from collections.abc import Sequence

import numpy as np

from curator.dedup.bands import band_keys, choose_bands, count_agreeing, group_equal, least_agreement
from curator.dedup.candidates import Capped, Order, Pairs, pair_groups, unique_pairs
from curator.dedup.exact_join import join_candidates
from curator.dedup.hashing import I64, U64
from curator.dedup.jaccard import Kind
from curator.dedup.minhash import U16, narrow_signatures, sign_rows
from curator.dedup.shingles import Ragged, distinct_rows, hash_streams, hash_tokens, shingle_tokens
from curator.dedup.verify import F64, measure_pairs


class NumpyIndex:
    """Shingles of all texts, and the pairs among them.

    Attributes:
        streams: One hash a text over all its words, 0 for a text without words.
    """

    def __init__(
        self, texts: Sequence[str], ngram: int = 5, *, kind: Kind = "word", mask_numbers: bool = False
    ) -> None:
        tokens = hash_tokens(texts, kind=kind, mask_numbers=mask_numbers)
        shingles = shingle_tokens(tokens, ngram)
        self.streams: U64 = hash_streams(shingles)
        self._shingles = distinct_rows(shingles)

    def drop_shingles(self, boilerplate: U64) -> None:
        """Take the given shingles out of every text that has others too."""
        is_kept = ~np.isin(self._shingles.values, boilerplate)
        rows = self._shingles.rows()
        left = np.bincount(rows[is_kept], minlength=len(self.streams))
        is_kept |= left[rows] == 0
        counts = np.bincount(rows[is_kept], minlength=len(self.streams))
        offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        self._shingles = Ragged(self._shingles.values[is_kept], offsets)

    def common_shingles(self, rows: I64, max_rows: int) -> U64:
        """Return the shingles that more than `max_rows` of the given texts share."""
        values, counts = np.unique(self._shingles.take(rows).values, return_counts=True)
        return values[counts > max_rows]

    def first_equal(self, keys: U64) -> I64:
        """Return for each row the first row with the same key."""
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        return first[inverse]

    def signatures(self) -> U16:
        """Return the low halves of the signatures, (num_rows, 64) uint16."""
        return narrow_signatures(sign_rows(self._shingles))

    def shingles(self) -> Ragged:
        """Return the distinct shingles of each text, ascending."""
        return self._shingles

    def measure(self, left: I64, right: I64) -> F64:
        """Return the Jaccard similarity of each pair of rows; neither text may be empty."""
        return measure_pairs(self._shingles, left, right)

    def pair_by_bands(self, rows: I64, threshold: float, order: Order, max_group: int | None) -> Pairs:
        """Return the pairs of rows that share a band and reach the threshold."""
        rows = order(rows)
        bands = choose_bands(threshold)
        signatures = narrow_signatures(sign_rows(self._shingles.take(rows)))
        keys = band_keys(signatures, bands)
        found = [pair_groups(*group_equal(key), max_group=max_group) for key in keys]
        first, second = unique_pairs(
            np.concatenate([pairs[0] for pairs in found]), np.concatenate([pairs[1] for pairs in found])
        )
        capped = sum((pairs[2] for pairs in found), Capped())
        can_be_near = count_agreeing(signatures, first, second) >= least_agreement(threshold)
        first, second = first[can_be_near], second[can_be_near]
        return self._verify(rows[first], rows[second], threshold, capped)

    def pair_exactly(self, rows: I64, threshold: float, *, spanning: bool = False) -> Pairs:
        """Return all pairs of rows that reach the threshold."""
        del spanning
        first, second = join_candidates(self._shingles.take(rows), threshold)
        return self._verify(rows[first], rows[second], threshold, Capped())

    def _verify(self, left: I64, right: I64, threshold: float, capped: Capped) -> Pairs:
        left, right = np.minimum(left, right), np.maximum(left, right)
        score = self.measure(left, right)
        is_near = score >= threshold
        return left[is_near], right[is_near], score[is_near], capped
