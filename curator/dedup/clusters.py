"""From verified pairs to clusters, and from clusters to the rows that stand for them.

Rows are numbered in priority order here: the smaller number is the better row. The loops are plain Python that numba
compiles as it stands (`kernels/clustering.py`), so small inputs run them interpreted and large ones compiled.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from curator.dedup.hashing import I64
from curator.dedup.verify import F64

NONE = -1

# Elements from which the compiled loop saves more than loading it costs.
_COMPILED_FROM = 20_000

I64s: TypeAlias = NDArray[np.int64]
"""A C pointer, when compiled."""


@dataclass(frozen=True)
class Cover:
    """Which row stands for which; all arrays are as long as `rows`.

    Attributes:
        rows: The rows that are in any pair, best first.
        cluster: The best row of the connected component of each.
        representative: The kept row that stands for each; a kept row stands for itself.
        partner: The near-duplicate for whose sake a row is removed; itself for kept rows.
        score: Similarity of row and partner.
        num_cut: Pairs whose rows have different representatives although they are near-duplicates.
    """

    rows: I64
    cluster: I64
    representative: I64
    partner: I64
    score: F64
    num_cut: int


def cover_pairs(
    rows: I64,
    pairs: tuple[I64, I64, F64],
    *,
    bridge_similarity: float | None,
    measure: Callable[[I64, I64], F64] | None = None,
) -> Cover:
    """Choose representatives for all rows that are in a pair.

    Args:
        rows: The rows that are in any pair, best first.
        pairs: Left rows, right rows, similarities.
        bridge_similarity: Least similarity of a row and its representative; None asks for a verified pair of them.
        measure: Returns the similarity of pairs of rows; needed for a bridge similarity only.
    """
    left, right, score = pairs
    place = np.zeros(int(rows.max(initial=-1)) + 1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    one, other = place[left], place[right]
    cluster = label_components(len(rows), one, other)
    if bridge_similarity is None or measure is None:
        representative, reason = cover_greedily(len(rows), *neighbour_lists(len(rows), one, other))
    else:
        representative, reason = _cover_chains(
            (one, other, score), len(rows), bridge_similarity, lambda a, b: measure(rows[a], rows[b])
        )
    is_removed = reason != NONE
    partner, scores = np.arange(len(rows)), np.ones(len(rows))
    taken = reason[is_removed]
    partner[is_removed] = (one[taken] + other[taken]) - partner[is_removed]
    scores[is_removed] = score[taken]
    num_cut = int((representative[one] != representative[other]).sum())
    return Cover(rows, rows[cluster], rows[representative], rows[partner], scores, num_cut)


def label_components(num_nodes: int, left: I64, right: I64) -> I64:
    """Return the smallest node of the connected component of each node."""
    parent = np.arange(num_nodes)
    _run("join_components", join_components, left, right, len(left), parent, num_nodes)
    return parent


def join_components(left: I64s, right: I64s, count: int, parent: I64s, num_nodes: int) -> None:
    """Replace parent[node], at first the node itself, by the smallest node of its component (union-find)."""
    for at in range(count):
        one = left[at]
        other = right[at]
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        while parent[other] != other:
            parent[other] = parent[parent[other]]
            other = parent[other]
        if one < other:
            parent[other] = one
        else:
            parent[one] = other
    # A parent is never larger than its child, so one pass in order reaches every root.
    for node in range(num_nodes):
        parent[node] = parent[parent[node]]


def neighbour_lists(num_nodes: int, left: I64, right: I64) -> tuple[I64, I64, I64]:
    """Return offsets, neighbours and pair numbers: the pairs seen from each node, best neighbour first."""
    source, target = np.concatenate((left, right)), np.concatenate((right, left))
    pair = np.concatenate((np.arange(len(left)), np.arange(len(left))))
    order = np.lexsort((target, source))
    counts = np.bincount(source, minlength=num_nodes)
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64), target[order], pair[order]


def cover_greedily(num_nodes: int, offsets: I64, neighbours: I64, pairs: I64) -> tuple[I64, I64]:
    """Return the representative of each node and the pair that justifies it (-1 for representatives).

    Best row first: a row that no better row has removed is kept and removes all its near-duplicates. So no two kept
    rows are near-duplicates, and every removed row is one of the kept row that stands for it.
    """
    representative = np.full(num_nodes, NONE, dtype=np.int64)
    reason = np.full(num_nodes, NONE, dtype=np.int64)
    _run("cover_nodes", cover_nodes, num_nodes, offsets, neighbours, pairs, representative, reason)
    return representative, reason


def cover_nodes(
    num_nodes: int, offsets: I64s, neighbours: I64s, pairs: I64s, representative: I64s, reason: I64s
) -> None:
    """Fill in what `cover_greedily` returns; both arrays are all -1 at first."""
    for node in range(num_nodes):
        if representative[node] != NONE:
            continue
        representative[node] = node
        for at in range(offsets[node], offsets[node + 1]):
            other = neighbours[at]
            if representative[other] == NONE:
                representative[other] = node
                reason[other] = pairs[at]


def _run(name: str, function: Callable[..., None], *arguments: I64 | int) -> None:
    """Call the function on the arguments: its compiled form where the input is large and the kernels are at hand."""
    if max(map(np.size, arguments)) >= _COMPILED_FROM:
        from curator.dedup.native import are_compiled, load_kernels

        if are_compiled():
            load_kernels().call(name, *arguments)
            return
    function(*arguments)


def _cover_chains(
    pairs: tuple[I64, I64, F64], num_nodes: int, bridge_similarity: float, measure: Callable[[I64, I64], F64]
) -> tuple[I64, I64]:
    """Like `cover_greedily`, but a representative removes its whole component except what is too far from it.

    What is cut off is clustered again without the rest, until every row has a representative.
    """
    left, right, score = pairs
    representative = np.full(num_nodes, NONE, dtype=np.int64)
    is_open = representative == NONE
    while is_open.any():
        is_live = is_open[left] & is_open[right]
        root = label_components(num_nodes, left[is_live], right[is_live])
        members = np.flatnonzero(is_open & (root != np.arange(num_nodes)))
        members = members[measure(root[members], members) >= bridge_similarity]
        roots = np.flatnonzero(is_open & (root == np.arange(num_nodes)))
        representative[roots] = roots
        representative[members] = root[members]
        is_open = representative == NONE
    reason = _nearest_pairs(num_nodes, left, right, score)
    reason[representative == np.arange(num_nodes)] = NONE
    return representative, reason


def _nearest_pairs(num_nodes: int, left: I64, right: I64, score: F64) -> I64:
    """Return for each node the pair with its most similar neighbour, the best such neighbour."""
    offsets, neighbours, pairs = neighbour_lists(num_nodes, left, right)
    node = np.repeat(np.arange(num_nodes), np.diff(offsets))
    order = np.lexsort((neighbours, -score[pairs], node))
    filled = np.diff(offsets) > 0
    nearest = np.full(num_nodes, NONE, dtype=np.int64)
    nearest[filled] = pairs[order[offsets[:-1][filled]]]
    return nearest
