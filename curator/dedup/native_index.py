"""The texts of one search, served by the compiled kernels: for large inputs."""

import os
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from curator.dedup.addresses import TextAddresses
from curator.dedup.bands import Bands, choose_bands, count_agreeing, least_agreement
from curator.dedup.boilerplate import find_common, list_in_table
from curator.dedup.candidates import Capped, Order, Pairs, join_codes, pair_groups, sort_distinct, split_codes
from curator.dedup.hashing import I64, U64
from curator.dedup.jaccard import Kind
from curator.dedup.minhash import NUM_PERM, U16, U32, draw_permutations
from curator.dedup.native import load_kernels
from curator.dedup.native_join import find_candidates
from curator.dedup.normalize import canonical_text
from curator.dedup.shingles import Ragged
from curator.dedup.text_source import TextSource
from curator.dedup.verify import F64
from curator.dedup.workspace import BucketSpace, SetSpace, TextSpace, Workers, num_slots, share_rows

_FREE = np.uint64(0xFFFFFFFFFFFFFFFF)
_MASKS_NUMBERS, _BY_CHARACTER = 1, 2
_NO_CAP = 1 << 62
_BLOCK_ROWS = 4096
_FIRST_CAPACITY = 1 << 14


class NativeIndex:
    """Addresses of all texts; shingles are made anew whenever they are needed, which costs less than keeping them.

    Attributes:
        streams: One hash a text over all its words, 0 for a text without words.
    """

    def __init__(
        self,
        texts: pl.Series,
        ngram: int = 5,
        *,
        kind: Kind = "word",
        mask_numbers: bool = False,
        num_threads: int | None = None,
        lsh_threshold: float | None = None,
        keeps_signatures: bool = False,
    ) -> None:
        self._kernels = load_kernels()
        self._located = TextAddresses(texts)
        self._ngram = ngram
        self._options = _MASKS_NUMBERS * mask_numbers + _BY_CHARACTER * (kind == "char")
        self._num_threads = num_threads or os.cpu_count() or 1
        self._boilerplate = np.zeros(1, dtype=np.uint64)
        self._bands = Bands(0, 1) if lsh_threshold is None else choose_bands(lsh_threshold)
        self._signatures = np.empty((len(texts) if keeps_signatures else 0, NUM_PERM), dtype=np.uint16)
        if kind == "char":
            self._located.replace(np.arange(len(texts)), [canonical_text(text) for text in texts])
        self.streams: U64
        self._keys: U32
        self._sketches: NDArray[np.uint8]
        self.streams, is_complex, self._keys, self._sketches = self._sign(
            self._located.addresses, self._located.marked_sizes, self._signatures
        )
        self._fold_in_python(texts, np.flatnonzero(is_complex))

    def _fold_in_python(self, texts: pl.Series, rows: I64) -> None:
        """Replace the texts the kernels cannot fold by their canonical form, and sign them."""
        if not rows.size:
            return
        self._located.replace(rows, [canonical_text(text) for text in texts.gather(pl.Series(rows))])
        signatures = self._signatures[rows] if len(self._signatures) else self._signatures
        streams, _, keys, sketches = self._sign(
            self._located.addresses[rows], self._located.marked_sizes[rows], signatures
        )
        self.streams[rows] = streams
        if len(self._signatures):
            self._signatures[rows] = signatures
        if self._bands.count:
            self._keys[:, rows] = keys
            self._sketches[rows] = sketches

    def signatures(self) -> U16:
        """Return the low halves of the signatures, (num_rows, 64); they must have been asked for."""
        return self._signatures

    def _sign(
        self, addresses: U64, sizes: I64, signatures: U16
    ) -> tuple[U64, NDArray[np.uint8], U32, NDArray[np.uint8]]:
        num_rows, bands = len(sizes), self._bands
        streams = np.zeros(num_rows, dtype=np.uint64)
        is_complex = np.zeros(num_rows, dtype=np.uint8)
        keys = np.empty((bands.count, num_rows), dtype=np.uint32)
        sketches = np.empty((num_rows if bands.count else 0, NUM_PERM), dtype=np.uint8)
        factors, offsets = draw_permutations()

        def sign(space: TextSpace, job: tuple[int, int]) -> None:
            self._kernels.call(
                "sign_texts",
                *(addresses, sizes, *job, num_rows),
                *(self._kernels.table, self._options, self._ngram, factors, offsets, bands.count, bands.width),
                *(self._boilerplate, len(self._boilerplate) - 1),
                *(space.scratch, space.edges, space.hashes, space.shingles, space.mixed, space.minima),
                *(streams, is_complex, keys, sketches, signatures, int(len(signatures) > 0)),
            )

        workers = Workers(self._num_threads, lambda: TextSpace(int(np.abs(sizes).max(initial=0))))
        workers.run(sign, share_rows(np.abs(sizes), self._num_threads))
        return streams, is_complex, keys, sketches

    def _source(self) -> TextSource:
        return TextSource(
            self._kernels, self._located, self._options, self._ngram, self._boilerplate, self._num_threads
        )

    def first_equal(self, keys: U64) -> I64:
        """Return for each row the first row with the same key."""
        slots = np.full(num_slots(len(keys)), _FREE)
        first = np.empty(len(keys), dtype=np.int64)
        self._kernels.call("find_first_equal", keys, len(keys), slots, len(slots) - 1, first)
        return first

    def common_shingles(self, rows: I64, max_rows: int) -> U64:
        """Return the shingles that more than `max_rows` of the given texts share."""
        return find_common(self._source(), rows, max_rows)

    def drop_shingles(self, boilerplate: U64) -> None:
        """Take the given shingles out of every text that has others too."""
        self._boilerplate = list_in_table(boilerplate)
        _, _, self._keys, self._sketches = self._sign(
            self._located.addresses, self._located.marked_sizes, self._signatures[:0]
        )

    def shingles(self) -> Ragged:
        """Return the distinct shingles of each text, ascending."""
        sizes = self._located.sizes
        counts = np.zeros(len(sizes), dtype=np.int64)
        source = self._source()

        def list_block(space: tuple[TextSpace, SetSpace], begin: int) -> U64:
            text, sets = space
            end = min(begin + _BLOCK_ROWS, len(sizes))
            # A token takes two bytes with what separates it, one when tokens are characters.
            values = np.empty(int(sizes[begin:end].sum()) + 2 * (end - begin), dtype=np.uint64)
            sets.last_stamp = self._kernels.call(
                "list_shingles",
                *(self._located.addresses, self._located.marked_sizes, begin, end, *source.cutting()),
                *(text.scratch, text.edges, text.hashes, text.shingles),
                *(sets.slots, sets.stamps, sets.last_stamp, values, counts),
            )
            return values[: int(counts[begin:end].sum())].copy()

        max_size = int(sizes.max(initial=0))
        workers = Workers(self._num_threads, lambda: (TextSpace(max_size), SetSpace(2 * max_size + 2)))
        blocks = workers.run(list_block, range(0, len(sizes), _BLOCK_ROWS))
        values = np.concatenate(blocks) if blocks else np.empty(0, dtype=np.uint64)
        return Ragged(values, np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts))))

    def measure(self, left: I64, right: I64) -> F64:
        """Return the Jaccard similarity of each pair of rows; neither text may be empty."""
        codes = join_codes(left, right)
        order = np.argsort(codes, kind="stable")
        scores = np.empty(len(codes))
        scores[order] = self._measure_sorted(codes[order], 0.0)
        return scores

    def _measure_sorted(self, codes: U64, threshold: float) -> F64:
        scores = np.empty(len(codes))
        left, right = split_codes(codes)
        sizes = self._located.sizes
        max_size = int(np.maximum(sizes[left], sizes[right]).max(initial=0))

        def measure(space: tuple[TextSpace, SetSpace], job: tuple[int, int]) -> None:
            text, sets = space
            sets.last_stamp = self._kernels.call(
                "measure_pairs",
                *(codes, *job, float(threshold), self._located.addresses, self._located.marked_sizes),
                *(self._kernels.table, self._options, self._ngram, self._boilerplate, len(self._boilerplate) - 1),
                *(text.scratch, text.edges, text.hashes, text.shingles),
                *(sets.slots, sets.stamps, sets.capacity, sets.last_stamp, scores),
            )

        # Words take two bytes at least, but folding can lengthen a text by half.
        workers = Workers(self._num_threads, lambda: (TextSpace(max_size), SetSpace(2 * max_size + 2)))
        workers.run(measure, share_rows(sizes[left] + sizes[right], self._num_threads))
        return scores

    def pair_by_bands(self, rows: I64, threshold: float, order: Order, max_group: int | None) -> Pairs:
        """Return the pairs of rows that share a band and reach the threshold."""
        if self._bands != choose_bands(threshold):
            self._bands = choose_bands(threshold)
            _, _, self._keys, self._sketches = self._sign(
                self._located.addresses, self._located.marked_sizes, self._signatures[:0]
            )
        codes, capped = self._pair_buckets(rows.astype(np.uint32), threshold, order, max_group)
        return self._verify(codes, threshold, capped)

    def pair_exactly(self, rows: I64, threshold: float, *, spanning: bool = False) -> Pairs:
        """Return the pairs of rows that reach the threshold; if spanning, enough of them to connect the same rows."""
        labels = np.arange(len(self.streams))
        found = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
        for codes in find_candidates(self._source(), rows, threshold, labels if spanning else None):
            left, right, score, _ = self._verify(codes, threshold, Capped())
            found.append((left, right, score))
            if spanning:
                near = join_codes(left, right)
                self._kernels.call("merge_labels", near, len(near), labels, len(labels))
        left, right, score = (np.concatenate(part) for part in zip(*found, strict=True))
        return left, right, score, Capped()

    def _verify(self, codes: U64, threshold: float, capped: Capped) -> Pairs:
        scores = self._measure_sorted(codes, threshold)
        is_near = scores >= threshold
        return *split_codes(codes[is_near]), scores[is_near], capped

    def _pair_buckets(self, rows: U32, threshold: float, order: Order, max_group: int | None) -> tuple[U64, Capped]:
        """Return the pairs of rows that share a bucket, sorted."""
        cap = _NO_CAP if max_group is None else max_group
        least = least_agreement(threshold)
        num_rows = len(self.streams)
        workers = Workers(self._num_threads, lambda: BucketSpace(num_rows, len(rows)))

        def pair(space: BucketSpace, band: int, is_oversize: U32) -> tuple[U64, tuple[I64, I64] | None]:
            return self._pair_band(space, band, rows, cap=cap, least=least, is_oversize=is_oversize)

        nothing = np.zeros(1, dtype=np.uint32)
        found = workers.run(lambda space, band: pair(space, band, nothing), range(len(self._keys)))
        large = [groups for _, groups in found if groups is not None]
        capped = Capped()
        parts = [codes for codes, _ in found]
        if large:
            is_oversize = np.zeros(num_rows, dtype=np.uint32)
            for band, (_, groups) in enumerate(found):
                if groups is not None:
                    is_oversize[groups[0]] |= np.uint32(1 << band)
            found = workers.run(lambda space, band: pair(space, band, is_oversize), range(len(self._keys)))
            parts = [codes for codes, _ in found]
            pairs, capped = _pair_large(large, order, max_group)
            low, high = split_codes(pairs)
            parts.append(pairs[count_agreeing(self._sketches, low, high) >= least])
        return sort_distinct(np.concatenate(parts)), capped

    def _pair_band(
        self, space: BucketSpace, band: int, rows: U32, *, cap: int, least: int, is_oversize: U32
    ) -> tuple[U64, tuple[I64, I64] | None]:
        """Return the pairs of a band, and the members and bounds of its oversize buckets if it has any."""
        num_rows = len(self.streams)
        space.filters.fill(0)
        num_repeats = self._kernels.call(
            "list_repeats",
            *(self._keys, num_rows, band, rows, len(rows), space.filters, space.filter_bits, space.repeats),
        )
        slots = space.slots[: num_slots(num_repeats)]
        slots.fill(_FREE)
        num_meetings = self._kernels.call(
            "chain_rows",
            *(self._keys, num_rows, band, space.repeats, num_repeats),
            *(slots, len(slots) - 1, space.previous, space.depth, space.meetings),
        )
        largest = int(space.depth[space.meetings[:num_meetings]].max(initial=0))
        has_oversize = len(is_oversize) > 1
        if largest > cap and not has_oversize:
            return np.empty(0, dtype=np.uint64), self._list_oversize(space, slots, cap)
        codes = np.empty(_FIRST_CAPACITY, dtype=np.uint64)
        while True:
            count = self._kernels.call(
                "pair_meetings",
                *(self._keys, num_rows, band, space.previous, space.depth, space.meetings, num_meetings),
                *(is_oversize, int(has_oversize), self._sketches, least, codes, len(codes)),
            )
            if count <= len(codes):
                return codes[:count].copy(), None
            codes = np.empty(count, dtype=np.uint64)

    def _list_oversize(self, space: BucketSpace, slots: U64, cap: int) -> tuple[I64, I64]:
        members = np.empty(len(space.meetings), dtype=np.int64)
        bounds = np.empty(len(members) // (cap + 1) + 2, dtype=np.int64)
        count = self._kernels.call(
            "list_oversize", slots, len(slots), space.previous, space.depth, cap, members, bounds
        )
        return members[: bounds[count]], bounds[: count + 1]


def _pair_large(groups: list[tuple[I64, I64]], order: Order, max_group: int | None) -> tuple[U64, Capped]:
    """Return the pairs to compare within groups beyond the cap, each once, and what is left out."""
    capped = Capped()
    pairs = np.empty(0, dtype=np.uint64)
    for members, bounds in groups:
        ordered = np.concatenate([order(members[begin:end]) for begin, end in pairwise(bounds)])
        first, second, skipped = pair_groups(ordered, bounds, max_group=max_group)
        found = join_codes(np.minimum(first, second), np.maximum(first, second))
        # A template cluster is the same group in every band: united at once, its pairs are held once.
        pairs = sort_distinct(np.concatenate((pairs, found)))
        capped += skipped
    return pairs, capped
