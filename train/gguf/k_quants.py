"""Q4_K and Q6_K in numpy, from the description of the formats; the other types come from the `gguf` package.

A block holds 256 values. Q4_K has 8 groups of 32, value = d * scale * q - dmin * minimum with 4-bit q and 6-bit scale
and minimum. Q6_K has 16 groups of 16, value = d * scale * (q - 32) with 6-bit q and 8-bit scale. d and dmin are
float16. Scales are searched: of some candidates, refitted by least squares, the one with the least error is kept.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from train.gguf.quantise import TypeName

    F32 = npt.NDArray[np.float32]
    U8 = npt.NDArray[np.uint8]

SUPER_BLOCK = 256
_ROWS_A_PIECE = 256
_TINY = np.float32(1e-30)


def quantise_rows(values: "F32", kind: "TypeName") -> "U8":
    """Gives the blocks of (rows, length) float32 as (rows, bytes) uint8."""
    from gguf import GGMLQuantizationType, quantize

    encoders = {"Q4_K": encode_q4_k, "Q6_K": encode_q6_k}
    if kind not in encoders:
        return quantize(values, GGMLQuantizationType[kind])
    pieces = [
        encoders[kind](values[start : start + _ROWS_A_PIECE].reshape(-1, SUPER_BLOCK))
        for start in range(0, len(values), _ROWS_A_PIECE)
    ]
    return np.concatenate(pieces).reshape(len(values), -1)


def encode_q4_k(blocks: "F32") -> "U8":
    """Gives (blocks, 144) uint8 of (blocks, 256) float32: d, dmin, 12 bytes of scales, 128 of values."""
    groups = blocks.reshape(-1, 8, 32)
    scales, minima = _fit_affine(groups, 15)
    d, scale_steps = _round_to_steps(scales, 63)
    dmin, minimum_steps = _round_to_steps(minima, 63)
    step = d[:, None] * scale_steps
    shifted = groups + (dmin[:, None] * minimum_steps)[..., None]
    q = np.clip(np.rint(shifted / np.maximum(step, _TINY)[..., None]), 0, 15).astype(np.uint8)
    # Of 64 values the first 32 are the low halves of 32 bytes, the others the high halves.
    pairs = q.reshape(-1, 4, 2, 32)
    packed = (pairs[:, :, 0] | pairs[:, :, 1] << 4).reshape(-1, 128)
    s, m = scale_steps.astype(np.uint8), minimum_steps.astype(np.uint8)
    low = s[:, :4] | (s[:, 4:] >> 4) << 6, m[:, :4] | (m[:, 4:] >> 4) << 6
    high = (s[:, 4:] & 15) | (m[:, 4:] & 15) << 4
    return np.concatenate([_half_bytes(d), _half_bytes(dmin), *low, high, packed], axis=1)


def encode_q6_k(blocks: "F32") -> "U8":
    """Gives (blocks, 210) uint8 of (blocks, 256) float32: low 4 bits, high 2 bits, scales, d."""
    groups = blocks.reshape(-1, 16, 16)
    scales = _fit_symmetric(groups, 32)
    d = (np.abs(scales).max(axis=1) / 127).astype(np.float16).astype(np.float32)
    steps = np.clip(np.rint(scales / np.maximum(d, _TINY)[:, None]), -128, 127)
    step = d[:, None] * steps
    safe = np.where(np.abs(step) < _TINY, np.inf, step)
    q = (np.clip(np.rint(groups / safe[..., None]), -32, 31) + 32).astype(np.uint8)
    # Halves of 128 values: four runs of 32, the low bits of two of them share a byte, the high bits of all four.
    runs = q.reshape(-1, 2, 4, 32)
    low = np.concatenate([runs[:, :, :2] & 15 | (runs[:, :, 2:] & 15) << 4], axis=2).reshape(-1, 128)
    high = runs[:, :, 0] >> 4 | runs[:, :, 1] >> 4 << 2 | runs[:, :, 2] >> 4 << 4 | runs[:, :, 3] >> 4 << 6
    return np.concatenate([low, high.reshape(-1, 64), steps.astype(np.int8).view(np.uint8), _half_bytes(d)], axis=1)


def _fit_affine(groups: "F32", top: int) -> "tuple[F32, F32]":
    """Gives scale and minimum (both >= 0) of each group so that value = scale * q - minimum, q from 0 to `top`."""
    least = np.minimum(groups.min(axis=-1), 0)
    spread = groups.max(axis=-1) - least
    weights = np.abs(groups) + np.sqrt(np.mean(groups**2, axis=-1, keepdims=True))
    best_scale, best_minimum = spread / top, -least
    best_error = _affine_error(groups, weights, best_scale, best_minimum, top)
    for nudge in np.linspace(-1.0, 1.0, 21, dtype=np.float32):
        inverse = (top + nudge) / np.maximum(spread, _TINY)
        q = np.clip(np.rint((groups - least[..., None]) * inverse[..., None]), 0, top)
        scale, minimum = _solve_affine(groups, weights, q)
        error = _affine_error(groups, weights, scale, minimum, top)
        is_better = error < best_error
        best_scale, best_minimum = np.where(is_better, scale, best_scale), np.where(is_better, minimum, best_minimum)
        best_error = np.minimum(error, best_error)
    return best_scale, best_minimum


def _solve_affine(groups: "F32", weights: "F32", q: "F32") -> "tuple[F32, F32]":
    """Least squares of value = scale * q - minimum for given q; minimum below 0 is not representable."""
    sums = [(weights * part).sum(axis=-1) for part in (np.ones_like(q), q, q * q, groups, q * groups)]
    one, first, second, value, cross = sums
    determinant = np.maximum(one * second - first * first, _TINY)
    scale = (one * cross - first * value) / determinant
    minimum = -(second * value - first * cross) / determinant
    is_negative = minimum < 0
    alone = cross / np.maximum(second, _TINY)
    return np.maximum(np.where(is_negative, alone, scale), 0), np.maximum(minimum, 0)


def _affine_error(groups: "F32", weights: "F32", scale: "F32", minimum: "F32", top: int) -> "F32":
    q = np.clip(np.rint((groups + minimum[..., None]) / np.maximum(scale, _TINY)[..., None]), 0, top)
    error: F32 = (weights * (scale[..., None] * q - minimum[..., None] - groups) ** 2).sum(axis=-1)
    return error


def _fit_symmetric(groups: "F32", half: int) -> "F32":
    """Gives the scale of each group so that value = scale * q, q from -half to half - 1."""
    largest = np.take_along_axis(groups, np.abs(groups).argmax(axis=-1)[..., None], axis=-1)[..., 0]
    safe = np.where(np.abs(largest) < _TINY, np.inf, largest)
    weights = groups**2
    best_scale = np.zeros_like(largest)
    best_gain = np.full_like(largest, -1.0)
    for nudge in np.linspace(-0.9, 0.9, 19, dtype=np.float32):
        # The largest value lies at -half, the end of the range that has one step more.
        q = np.clip(np.rint(groups * (-(half + nudge) / safe)[..., None]), -half, half - 1)
        cross, second = (weights * groups * q).sum(axis=-1), (weights * q * q).sum(axis=-1)
        gain = cross**2 / np.maximum(second, _TINY)
        is_better = gain > best_gain
        best_scale = np.where(is_better, cross / np.maximum(second, _TINY), best_scale)
        best_gain = np.maximum(gain, best_gain)
    return best_scale


def _round_to_steps(values: "F32", top: int) -> "tuple[F32, F32]":
    """Gives d (rounded to float16) and whole steps so that value is about d * steps."""
    d = (values.max(axis=1) / top).astype(np.float16).astype(np.float32)
    return d, np.clip(np.rint(values / np.maximum(d, _TINY)[:, None]), 0, top)


def _half_bytes(values: "F32") -> "U8":
    return values.astype(np.float16).view(np.uint8).reshape(-1, 2)
