"""Deals units to splits once and for ever.

What has been dealt never moves; what would tie two splits together is withheld and leaves the graph. Reproducing a
release needs the ledger as an input.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from curator.balance.units import Graph, label_components, name_unit
from schemas.config import SplitConfig
from schemas.frames import verdict_frame

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

SPLITS = ("train", "validation", "test")
MIN_UNIT_SIZE_TO_TRAIN = 5
NOWHERE = -1

Stratum = tuple[str, bool]
"""Category and whether the rows are generated."""


@dataclass(frozen=True)
class Dealt:
    """What dealing gave.

    Attributes:
        units: One row an example in the graph: `example_id`, `unit_id`, `unit_size`, `split` (null: not dealt yet).
        ledger: New rows only: `key_kind` (example or unit_key), `key`, `split`, `category`.
        withheld: Verdicts of examples that would join two splits.
        units_per_category: How many units hold a kept row of each category.
    """

    units: "pl.DataFrame"
    ledger: "pl.DataFrame"
    withheld: "pl.DataFrame"
    units_per_category: dict[str, int]


def deal_splits(examples: "pl.DataFrame", pairs: "pl.DataFrame", ledger: "pl.DataFrame", config: SplitConfig) -> Dealt:
    """Assigns every new unit that holds a kept row to its category's most deficient split.

    Args:
        examples: All current examples, kept or not: `id`, `unit_keys`, `category` (or null), `is_kept`, and
            `is_synthetic` (generated rows are dealt by themselves: under a cap on their share a split can use them
            only beside rows of other sources, so each split must get its part of both).
        pairs: Near-duplicate edges over all of them: `left_id`, `right_id`; those among `list_torn` complete,
            elsewhere at least a spanning set.
        ledger: What is dealt already: `key_kind`, `key`, `split`.
        config: Shares of the splits and the size from which a unit goes to train.

    Returns:
        The same for any order of rows.
    """
    graph = Graph(examples, pairs)
    known = _read_known(graph, ledger)
    is_withheld, partners = _find_withheld(graph, known)
    alive = ~is_withheld[graph.edges].any(axis=1) if len(graph.edges) else np.zeros(0, dtype=bool)
    labels = label_components(graph.num_nodes, graph.edges[alive])
    splits = _spread_known(labels, known)
    facts = _Facts(graph, examples, labels, is_withheld)
    _deal_new(facts, splits, config)
    return Dealt(
        units=_unit_frame(facts, splits),
        ledger=_ledger_frame(facts, splits, known),
        withheld=verdict_frame(
            {
                "subject_id": graph.ids[node],
                "is_kept": False,
                "reason": "joins_two_splits",
                "partner": partners.get(int(node)),
                "detail": "near-duplicates or shared units of it lie in two splits",
            }
            for node in np.flatnonzero(is_withheld)
        ),
        units_per_category=facts.count_units(),
    )


def list_torn(examples: "pl.DataFrame", pairs: "pl.DataFrame", ledger: "pl.DataFrame") -> list[str]:
    """Gives the ids of all examples whose component holds rows or keys of two splits, in order.

    Where rows will be withheld every edge counts: a spanning set of pairs falls apart when one of its rows leaves.

    Args:
        examples: All current examples: `id`, `unit_keys`.
        pairs: Near-duplicate edges: `left_id`, `right_id`; a spanning set is enough here.
        ledger: What is dealt already: `key_kind`, `key`, `split`.
    """
    graph = Graph(examples, pairs)
    labels = label_components(graph.num_nodes, graph.edges)
    is_torn = np.isin(labels[: len(graph.ids)], _torn_components(labels, _read_known(graph, ledger)))
    return [graph.ids[node] for node in np.flatnonzero(is_torn)]


class _Facts:
    """The graph with what dealing must know of each component."""

    def __init__(
        self, graph: Graph, examples: "pl.DataFrame", labels: "NDArray[np.int64]", is_withheld: "NDArray[np.bool_]"
    ) -> None:
        ordered = examples.sort("id")
        count = len(graph.ids)
        self.graph = graph
        self.labels = labels
        self.is_withheld = is_withheld
        self.category: list[str | None] = ordered["category"].to_list()
        self.is_synthetic: list[bool] = ordered["is_synthetic"].to_list()
        self.is_kept = ordered["is_kept"].to_numpy() & ~is_withheld[:count]
        self.members: dict[int, list[int]] = {}
        for node in np.flatnonzero(~is_withheld[:count]):
            self.members.setdefault(int(labels[node]), []).append(int(node))
        self.unit_ids = {label: name_unit([graph.ids[n] for n in nodes]) for label, nodes in self.members.items()}

    def count_kept(self, label: int) -> dict[Stratum, int]:
        """Gives the kept rows of a component by category (empty string: uncategorised) and whether generated."""
        counts: dict[Stratum, int] = {}
        for node in self.members[label]:
            if self.is_kept[node]:
                stratum = (self.category[node] or "", self.is_synthetic[node])
                counts[stratum] = counts.get(stratum, 0) + 1
        return counts

    def count_units(self) -> dict[str, int]:
        """Gives how many units hold a kept row of each category."""
        found: dict[str, int] = {}
        for label in self.members:
            for name in {category for category, _ in self.count_kept(label)}:
                if name:
                    found[name] = found.get(name, 0) + 1
        return found


def _read_known(graph: Graph, ledger: "pl.DataFrame") -> "NDArray[np.int8]":
    """Gives the dealt split of every node as its number, or NOWHERE."""
    known = np.full(graph.num_nodes, NOWHERE, dtype=np.int8)
    number = {name: i for i, name in enumerate(SPLITS)}
    by_kind: dict[str, dict[str, int]] = {"example": {}, "unit_key": {}}
    for kind, key, split in ledger.select("key_kind", "key", "split").iter_rows():
        by_kind[kind][key] = number[split]
    for node, name in enumerate(graph.ids):
        known[node] = by_kind["example"].get(name, NOWHERE)
    for offset, name in enumerate(graph.keys):
        known[len(graph.ids) + offset] = by_kind["unit_key"].get(name, NOWHERE)
    return known


def _find_withheld(graph: Graph, known: "NDArray[np.int8]") -> "tuple[NDArray[np.bool_], dict[int, str]]":
    """Finds examples that would tie two splits together.

    Components with at most one dealt split need no look. In the others examples are admitted one by one, the dealt
    ones first, each in order of id; one that would join sets of two splits stays out. A dealt example can only do so
    when settings change what counts as a near-duplicate: it keeps its split and leaves the release.
    """
    withheld = np.zeros(graph.num_nodes, dtype=bool)
    labels = label_components(graph.num_nodes, graph.edges)
    torn = _torn_components(labels, known)
    if not torn.size:
        return withheld, {}
    in_torn = np.isin(labels, torn)
    neighbours: dict[int, list[int]] = {}
    for left, right in graph.edges[in_torn[graph.edges[:, 0]]].tolist():
        neighbours.setdefault(left, []).append(right)
        neighbours.setdefault(right, []).append(left)
    count = len(graph.ids)
    joiner = _Joiner(known, count)
    in_turn = sorted(np.flatnonzero(in_torn[:count]).tolist(), key=lambda node: (known[node] == NOWHERE, node))
    partners: dict[int, str] = {}
    for node in in_turn:
        clash = joiner.admit(node, neighbours.get(node, []))
        if clash is not None:
            withheld[node] = True
            partners[node] = graph.ids[clash] if clash < count else graph.keys[clash - count]
    return withheld, partners


def _torn_components(labels: "NDArray[np.int64]", known: "NDArray[np.int8]") -> "NDArray[np.int64]":
    dealt = known != NOWHERE
    pairs = np.unique(np.stack([labels[dealt], known[dealt].astype(np.int64)], axis=1), axis=0)
    components, counts = np.unique(pairs[:, 0], return_counts=True)
    return components[counts > 1]


class _Joiner:
    """Union-find whose sets carry a split; two sets of different splits never become one."""

    def __init__(self, known: "NDArray[np.int8]", num_examples: int) -> None:
        self.known = known
        self.num_examples = num_examples
        self.parent: dict[int, int] = {}
        self.split: dict[int, int] = {}
        self.admitted: set[int] = set()

    def find(self, node: int) -> int:
        """Gives the root of a node's set."""
        if node not in self.parent:
            self.parent[node] = node
            self.split[node] = int(self.known[node])
        root = node
        while self.parent[root] != root:
            root = self.parent[root]
        while self.parent[node] != root:
            self.parent[node], node = root, self.parent[node]
        return root

    def admit(self, node: int, others: list[int]) -> int | None:
        """Admits an example, or gives the neighbour because of which it cannot come in."""
        present = [other for other in sorted(others) if self._is_present(other)]
        split = int(self.known[node])
        for other in present:
            theirs = self.split[self.find(other)]
            if theirs != NOWHERE and split not in (NOWHERE, theirs):
                return other
            split = theirs if theirs != NOWHERE else split
        self.admitted.add(node)
        for other in present:
            a, b = self.find(node), self.find(other)
            if a != b:
                self._union(a, b)
        return None

    def _is_present(self, node: int) -> bool:
        """Tells whether a node may tie others: keys always, examples once they are admitted."""
        return node in self.admitted or node >= self.num_examples

    def _union(self, a: int, b: int) -> None:
        self.parent[b] = a
        self.split[a] = self.split[a] if self.split[a] != NOWHERE else self.split[b]


def _spread_known(labels: "NDArray[np.int64]", known: "NDArray[np.int8]") -> dict[int, int]:
    dealt = np.flatnonzero(known != NOWHERE)
    return {int(labels[node]): int(known[node]) for node in dealt[::-1]}


def _deal_new(facts: _Facts, splits: dict[int, int], config: SplitConfig) -> None:
    shares = np.array([config.train, config.validation, config.test])
    shares = shares / shares.sum()
    counts = {label: facts.count_kept(label) for label in facts.members}
    totals: dict[str, int] = {}
    dealt: dict[Stratum, NDArray[np.float64]] = {}
    for label, kept in counts.items():
        for stratum, number in kept.items():
            totals[stratum[0]] = totals.get(stratum[0], 0) + number
            row = dealt.setdefault(stratum, np.zeros(len(SPLITS)))
            if label in splits:
                row[splits[label]] += number
    new = [label for label, kept in counts.items() if kept and label not in splits]
    for label in sorted(new, key=lambda item: facts.unit_ids[item]):
        kept = counts[label]
        stratum = min(kept, key=lambda item: (-kept[item], item[0] == "", item))
        size = sum(kept.values())
        limit = max(config.max_unit_share * totals[stratum[0]], MIN_UNIT_SIZE_TO_TRAIN)
        deficits = shares * (dealt[stratum].sum() + size) - dealt[stratum]
        split = 0 if size > limit else int(np.argmax(deficits))
        splits[label] = split
        for member_stratum, number in kept.items():
            dealt[member_stratum][split] += number


def _unit_frame(facts: _Facts, splits: dict[int, int]) -> "pl.DataFrame":
    import polars as pl

    rows = [
        (facts.graph.ids[node], facts.unit_ids[label], len(nodes), SPLITS[splits[label]] if label in splits else None)
        for label, nodes in facts.members.items()
        for node in nodes
    ]
    schema = {"example_id": pl.String, "unit_id": pl.String, "unit_size": pl.Int32, "split": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("example_id")


def _ledger_frame(facts: _Facts, splits: dict[int, int], known: "NDArray[np.int8]") -> "pl.DataFrame":
    import polars as pl

    graph, count = facts.graph, len(facts.graph.ids)
    rows: list[tuple[str, str, str, str | None]] = []
    for node in np.flatnonzero(known == NOWHERE).tolist():
        label = int(facts.labels[node])
        if label not in splits or label not in facts.members or facts.is_withheld[node]:
            continue
        kind, key = ("example", graph.ids[node]) if node < count else ("unit_key", graph.keys[node - count])
        category = facts.category[node] if node < count else None
        rows.append((kind, key, SPLITS[splits[label]], category))
    schema = {"key_kind": pl.String, "key": pl.String, "split": pl.String, "category": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("key_kind", "key")
