"""One pass over the texts: what identifies each, and the keys of its bands. Nothing else is stored."""

import numpy as np

from curator.dedup.bands import KEY_FACTOR
from curator.dedup.kernels.jit import jit
from curator.dedup.kernels.pointers import Bytes, I32s, I64s, U8s, U16s, U32s, U64s
from curator.dedup.kernels.shingles import drop_listed, mix_hashes, num_shingles, shingle_and_mix
from curator.dedup.kernels.simd import lower_minima
from curator.dedup.kernels.words import tokenize

_EMPTY = np.uint32(0xFFFFFFFF)
_KEY_FACTOR = np.uint32(KEY_FACTOR)
_LOW = np.uint32(0xFFFF)
_LOW_BYTE = np.uint32(0xFF)


@jit
def sign_texts(
    addresses: U64s,
    sizes: I64s,
    begin: int,
    end: int,
    num_rows: int,
    table: U32s,
    options: int,
    ngram: int,
    factors: U32s,
    offsets: U32s,
    num_bands: int,
    band_width: int,
    boilerplate: U64s,
    boilerplate_mask: int,
    scratch: Bytes,
    edges: I32s,
    hashes: U64s,
    shingles: U64s,
    mixed: U32s,
    minima: U32s,
    streams: U64s,
    is_complex: U8s,
    keys: U32s,
    sketches: Bytes,
    signatures: U16s,
    keeps_signatures: int,
) -> None:
    """Sign texts[begin:end]: write streams[row], keys[band * num_rows + row] and sketches[row * 64 + k].

    A sketch holds the low byte of each signature value. If they are kept, signatures[row * 64 + k] get the low two.
    Without bands and signatures, only streams are written.

    A text that Python must fold gets is_complex[row] = 1 and nothing else.
    """
    for row in range(begin, end):
        count = tokenize(addresses[row], sizes[row], table, options, scratch, edges, hashes)
        is_complex[row] = count < 0
        if count < 0:
            continue
        streams[row] = shingle_and_mix(hashes, count, ngram, shingles, mixed)
        if num_bands == 0 and keeps_signatures == 0:
            continue
        count = num_shingles(count, ngram)
        if boilerplate_mask > 0:
            count = drop_listed(shingles, count, boilerplate, boilerplate_mask)
            mix_hashes(shingles, count, mixed)
        for at in range(64):
            minima[at] = _EMPTY
        lower_minima(mixed, count, factors, offsets, 0, minima)
        if keeps_signatures:
            for at in range(64):
                signatures[row * 64 + at] = np.uint16(minima[at] & _LOW)
        if num_bands > 0:
            write_bands(minima, row, num_rows, num_bands, band_width, keys, sketches)


@jit
def write_bands(
    minima: U32s, row: int, num_rows: int, num_bands: int, band_width: int, keys: U32s, sketches: Bytes
) -> None:
    """Write the band keys and the sketch of a row."""
    for at in range(64):
        sketches[row * 64 + at] = np.uint8(minima[at] & _LOW_BYTE)
    for band in range(num_bands):
        keys[band * num_rows + row] = hash_band(minima, band * band_width, band_width)


@jit
def hash_band(minima: U32s, start: int, width: int) -> np.uint32:
    """Return the key of minima[start : start + width]; see `curator.dedup.bands`."""
    key = np.uint32(0)
    for at in range(start, start + width):
        key = np.uint32((key ^ (minima[at] & _LOW)) * _KEY_FACTOR)
        key ^= key >> np.uint32(15)
    return key
