"""Near-duplicates and nearest texts: which texts say the same, and which of them to keep.

Everything rests on one definition of truth, `similarity`: Jaccard similarity of distinct word 5-grams. What is found
by a sketch is verified against it before it is reported. Importing this package loads no numpy, polars or numba.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curator.dedup.bands import choose_bands
    from curator.dedup.duplicates import Duplicates, find_duplicates, resolve_pairs
    from curator.dedup.errors import DedupError
    from curator.dedup.jaccard import similarity
    from curator.dedup.nearest import find_near
    from curator.dedup.pairs import find_pairs
    from curator.dedup.signatures import compute_signatures, count_at_thresholds, find_new_pairs, verify_pairs
    from curator.dedup.stripped import strip_pairs
    from curator.dedup.touched import touched_texts

__all__ = [
    "DedupError",
    "Duplicates",
    "choose_bands",
    "compute_signatures",
    "count_at_thresholds",
    "find_duplicates",
    "find_near",
    "find_new_pairs",
    "find_pairs",
    "resolve_pairs",
    "similarity",
    "strip_pairs",
    "touched_texts",
    "verify_pairs",
]

_HOMES = {
    "DedupError": "errors",
    "Duplicates": "duplicates",
    "choose_bands": "bands",
    "compute_signatures": "signatures",
    "count_at_thresholds": "signatures",
    "find_duplicates": "duplicates",
    "find_near": "nearest",
    "find_new_pairs": "signatures",
    "find_pairs": "pairs",
    "resolve_pairs": "duplicates",
    "similarity": "jaccard",
    "strip_pairs": "stripped",
    "touched_texts": "touched",
    "verify_pairs": "signatures",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
