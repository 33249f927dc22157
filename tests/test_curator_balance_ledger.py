"""Splits that never leak and never move, over random growth sequences, against a plain reference."""

import json
import random
from itertools import combinations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.balance.ledger import SPLITS, Dealt, deal_splits, list_torn
from curator.balance.release import find_graph_pairs, find_unit_pairs
from curator.balance.units import Graph, label_components, name_unit
from curator.dedup import similarity
from schemas.config import SplitConfig
from schemas.identity import make_id

LEDGER = {"key_kind": pl.String, "key": pl.String, "split": pl.String, "category": pl.String}
PAIRS = {"left_id": pl.String, "right_id": pl.String}
EXAMPLES = {
    "id": pl.String,
    "unit_keys": pl.List(pl.String),
    "category": pl.String,
    "is_kept": pl.Boolean,
    "is_synthetic": pl.Boolean,
    "messages": pl.String,
    "rejected": pl.String,
}
# More validation and test than usual, so that few units are enough for rows that would join two splits.
EVEN = SplitConfig(train=0.4, validation=0.3, test=0.3)
THRESHOLD = 0.8


def make_text(base: int, head: int, tail: int) -> str:
    """Twenty words; one edit at either end leaves J = 15/17, one at both 14/18: the middle one ties two strangers."""
    words = [f"w{base}x{place}" for place in range(20)]
    words[:head] = [f"head{base}n{place}" for place in range(head)]
    words[20 - tail :] = [f"tail{base}n{place}" for place in range(tail)]
    return " ".join(words)


def make_messages(text: str) -> str:
    question, answer = text.split(" ", 1)
    return json.dumps([{"role": "user", "content": question}, {"role": "assistant", "content": answer}])


def make_row(name: str, text: str, keys=(), category="c", is_kept=True, is_synthetic=False) -> dict:
    return {
        "id": name,
        "unit_keys": list(keys),
        "category": category,
        "is_kept": is_kept,
        "is_synthetic": is_synthetic,
        "messages": make_messages(text),
        "rejected": None,
    }


def frame(rows: list[dict]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=EXAMPLES)


def empty_ledger() -> pl.DataFrame:
    return pl.DataFrame(schema=LEDGER)


def ledger_of(**splits: str) -> pl.DataFrame:
    return pl.DataFrame([("example", k, v, "c") for k, v in splits.items()], schema=LEDGER, orient="row")


def no_pairs() -> pl.DataFrame:
    return pl.DataFrame(schema=PAIRS)


def deal(rows: list[dict], ledger: pl.DataFrame, config: SplitConfig = EVEN) -> Dealt:
    examples = frame(rows)
    return deal_splits(examples, find_graph_pairs(examples, ledger, THRESHOLD, 1), ledger, config)


def text_of(row: dict) -> str:
    return "\n".join(turn["content"] for turn in json.loads(row["messages"]))


def brute_edges(rows: list[dict]) -> list[tuple[str, str]]:
    """Every edge of the unit graph: example to key, and example to example by true Jaccard similarity."""
    texts = {row["id"]: text_of(row) for row in rows}
    by_text = [(a, b) for a, b in combinations(sorted(texts), 2) if similarity(texts[a], texts[b]) >= THRESHOLD]
    return by_text + [(row["id"], f"key {key}") for row in rows for key in row["unit_keys"]]


def brute_component(start: str, edges: list[tuple[str, str]], present: set[str]) -> set[str]:
    seen, todo = {start}, [start]
    while todo:
        node = todo.pop()
        for a, b in edges:
            other = b if a == node else a if b == node else None
            if other is not None and other in present and other not in seen:
                seen.add(other)
                todo.append(other)
    return seen


def brute_withheld(rows: list[dict], ledger: pl.DataFrame) -> set[str]:
    """Admits rows one by one, the dealt ones first, each in order of id; who would tie two splits stays out."""
    edges = brute_edges(rows)
    known = {(f"key {k}" if kind == "unit_key" else k): split for kind, k, split, _ in ledger.iter_rows()}
    present = {f"key {key}" for row in rows for key in row["unit_keys"]}
    withheld = set()
    for name in sorted((row["id"] for row in rows), key=lambda i: (i not in known, i)):
        component = brute_component(name, edges, {*present, name})
        if len({known[node] for node in component if node in known}) > 1:
            withheld.add(name)
        else:
            present.add(name)
    return withheld


ROWS = st.builds(
    lambda base, head, tail, key, category, is_kept, is_synthetic, salt: make_row(
        make_id(str((base, head, tail, key, salt))),
        make_text(base, head, tail),
        [] if key is None else [f"thread:{key}"],
        category,
        is_kept,
        is_synthetic,
    ),
    st.integers(0, 2),
    st.integers(0, 2),
    st.integers(0, 2),
    st.none() | st.integers(0, 3),
    st.sampled_from(["technique", "nutrition", None]),
    st.sampled_from([True, True, True, False]),
    st.booleans(),
    st.integers(0, 1),
)
GROWTH = st.lists(st.lists(ROWS, min_size=1, max_size=6), min_size=2, max_size=4)


@settings(max_examples=30, deadline=None)
@given(GROWTH, st.randoms(use_true_random=False))
def test_growth_never_moves_a_row_never_leaks_and_withholds_exactly_what_would_join_two_splits(growth, rng):
    rows: dict[str, dict] = {}
    ledger = empty_ledger()
    frozen: dict[tuple[str, str], str] = {}
    for batch in growth:
        rows = {**{row["id"]: row for row in batch}, **rows}
        current = list(rows.values())
        rng.shuffle(current)
        dealt = deal(current, ledger)
        assert set(dealt.withheld["subject_id"]) == brute_withheld(current, ledger)
        assert_no_leak(current, dealt)
        # What the graph says of a dealt row or key is what the ledger has said from the first day.
        placed = {row["example_id"]: row["split"] for row in dealt.units.iter_rows(named=True)}
        for (kind, key), split in frozen.items():
            if kind == "example" and key in placed:
                assert placed[key] == split
        fresh = {(kind, key): split for kind, key, split, _ in dealt.ledger.iter_rows()}
        assert not set(fresh) & set(frozen)
        frozen |= fresh
        ledger = pl.concat([ledger, dealt.ledger]).sample(fraction=1.0, shuffle=True, seed=rng.randrange(2**16))


def assert_no_leak(rows: list[dict], dealt: Dealt) -> None:
    split = {row["example_id"]: row["split"] for row in dealt.units.iter_rows(named=True)}
    unit = {row["example_id"]: row["unit_id"] for row in dealt.units.iter_rows(named=True)}
    withheld = set(dealt.withheld["subject_id"])
    assert set(split) == {row["id"] for row in rows} - withheld
    alive = [row for row in rows if row["id"] not in withheld]
    for a, b in brute_edges(alive):
        if b in split:
            assert (split[a], unit[a]) == (split[b], unit[b])
    by_key: dict[str, set] = {}
    for row in alive:
        for key in row["unit_keys"]:
            by_key.setdefault(key, set()).add((split[row["id"]], unit[row["id"]]))
    assert all(len(found) == 1 for found in by_key.values())
    # Every unit with a kept row is dealt, no other one gets a split of its own for nothing.
    for row in alive:
        assert not row["is_kept"] or split[row["id"]] in SPLITS


@settings(max_examples=15, deadline=None)
@given(GROWTH, st.randoms(use_true_random=False))
def test_dealing_does_not_depend_on_the_order_of_rows_pairs_or_ledger(growth, rng):
    first = {row["id"]: row for row in growth[0]}
    ledger = deal(list(first.values()), empty_ledger()).ledger
    rows = list({row["id"]: row for batch in growth for row in batch}.values())
    examples = frame(rows)
    pairs = find_graph_pairs(examples, ledger, THRESHOLD, 1)
    expected = deal_splits(examples, pairs, ledger, EVEN)
    turned = pairs.select(pl.col("right_id").alias("left_id"), pl.col("left_id").alias("right_id"))
    again = deal_splits(
        frame(rng.sample(rows, len(rows))),
        turned.sample(fraction=1.0, shuffle=True, seed=1) if turned.height else turned,
        ledger.reverse(),
        EVEN,
    )
    assert again.units.equals(expected.units)
    assert again.ledger.equals(expected.ledger)
    assert again.withheld.drop("partner").equals(expected.withheld.drop("partner"))
    assert again.units_per_category == expected.units_per_category


@settings(max_examples=40, deadline=None)
@given(st.lists(ROWS, max_size=10))
def test_units_are_the_connected_components_of_threads_and_near_duplicates(rows):
    rows = list({row["id"]: row for row in rows}.values())
    dealt = deal(rows, empty_ledger())
    edges = brute_edges(rows)
    ids = {row["id"] for row in rows}
    present = ids | {f"key {key}" for row in rows for key in row["unit_keys"]}
    for name, unit, size, _ in dealt.units.iter_rows():
        members = brute_component(name, edges, present) & ids
        assert (unit, size) == (name_unit(sorted(members)), len(members))
    assert dealt.units["example_id"].to_list() == sorted(ids)
    assert dealt.withheld.height == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20))
def test_component_labels_agree_with_a_walk_over_the_edges(num_nodes, edges):
    import numpy as np

    edges = [(a % num_nodes, b % num_nodes) for a, b in edges]
    labels = label_components(num_nodes, np.array(edges, dtype=np.int64).reshape(-1, 2))
    named = [(str(a), str(b)) for a, b in edges]
    nodes = {str(n) for n in range(num_nodes)}
    for node in nodes:
        together = {str(n) for n in range(num_nodes) if labels[n] == labels[int(node)]}
        assert together == brute_component(node, named, nodes)


def test_nothing_and_rows_without_any_unit_key_can_be_dealt():
    assert deal_splits(frame([]), no_pairs(), empty_ledger(), SplitConfig()).units.height == 0
    dealt = deal_splits(frame([make_row("a", make_text(0, 0, 0))]), no_pairs(), empty_ledger(), SplitConfig())
    assert dealt.units.rows() == [("a", name_unit(["a"]), 1, "train")]
    assert dealt.ledger.rows() == [("example", "a", "train", "c")]


def test_a_near_duplicate_of_train_and_test_is_withheld_and_names_its_partner():
    rows = [make_row("a", make_text(0, 1, 0)), make_row("b", make_text(0, 0, 1)), make_row("n", make_text(0, 0, 0))]
    ledger = ledger_of(a="train", b="test")
    dealt = deal(rows, ledger)
    assert dealt.withheld.select("subject_id", "is_kept", "reason", "partner").rows() == [
        ("n", False, "joins_two_splits", "b")
    ]
    assert dict(dealt.units.select("example_id", "split").rows()) == {"a": "train", "b": "test"}
    assert dealt.ledger.height == 0


def test_a_row_of_a_dealt_thread_follows_its_thread_even_when_the_old_rows_are_gone():
    ledger = pl.DataFrame([("unit_key", "thread:t", "test", None)], schema=LEDGER, orient="row")
    dealt = deal([make_row("a", make_text(0, 0, 0), ["thread:t"])], ledger)
    assert dealt.units["split"].to_list() == ["test"]
    assert dealt.ledger.rows() == [("example", "a", "test", "c")]


def test_the_first_of_two_new_rows_may_join_and_the_second_is_judged_with_it():
    # m1 and m2 share a new thread; m1 is near a (train), m2 near b (test): alone each fits, together they tie both.
    rows = [
        make_row("a", make_text(0, 0, 0)),
        make_row("b", make_text(1, 0, 0)),
        make_row("m1", make_text(0, 0, 1), ["thread:new"]),
        make_row("m2", make_text(1, 0, 1), ["thread:new"]),
    ]
    dealt = deal(rows, ledger_of(a="train", b="test"))
    assert dealt.withheld["subject_id"].to_list() == ["m2"]
    assert dict(dealt.units.select("example_id", "split").rows()) == {"a": "train", "b": "test", "m1": "train"}


def test_withholding_one_row_does_not_hide_the_pairs_that_only_it_stood_for():
    # Identical new rows: a spanning set ties all but one of them to the old rows through the first alone.
    old = [make_row("a", make_text(0, 1, 0)), make_row("b", make_text(0, 0, 1))]
    new = [make_row(f"n{number}", make_text(0, 0, 0)) for number in range(4)]
    dealt = deal(old + new, ledger_of(a="train", b="test"))
    assert dealt.withheld["subject_id"].to_list() == ["n0", "n1", "n2", "n3"]


def test_dealt_rows_that_a_lower_threshold_ties_stay_in_their_splits_and_one_of_them_leaves():
    rows = [make_row("a", make_text(0, 0, 0)), make_row("b", make_text(0, 0, 1)), make_row("z", make_text(1, 0, 0))]
    dealt = deal(rows, ledger_of(a="test", b="train"))
    assert dealt.withheld["subject_id"].to_list() == ["b"]
    assert dict(dealt.units.select("example_id", "split").rows())["a"] == "test"
    assert dealt.ledger["key"].to_list() == ["z"]


def test_only_units_that_hold_a_kept_row_are_dealt_but_their_rejected_rows_go_with_them():
    rows = [
        make_row("a", make_text(0, 0, 0), is_kept=False),
        make_row("b", make_text(1, 0, 0), is_kept=False),
        make_row("c", make_text(1, 0, 1)),
    ]
    dealt = deal(rows, empty_ledger())
    assert dict(dealt.units.select("example_id", "split").rows()) == {"a": None, "b": "train", "c": "train"}
    assert dealt.ledger["key"].to_list() == ["b", "c"]
    assert dealt.units_per_category == {"c": 1}


@pytest.mark.parametrize(
    ("size", "others", "expected"), [(5, 100, "test"), (6, 100, "train"), (8, 400, "test"), (9, 400, "train")]
)
def test_a_unit_above_two_percent_of_its_category_and_five_rows_goes_to_train(size, others, expected):
    # All that is dealt lies in train and validation, so that test is the most deficient split.
    rest = [make_row(f"o{n:03}", f"only{n} text{n}") for n in range(others)]
    ledger = ledger_of(**{row["id"]: "train" if n % 10 else "validation" for n, row in enumerate(rest)})
    unit = [make_row(f"u{n}", f"unit{n} row{n}", ["video:v"]) for n in range(size)]
    dealt = deal_splits(frame(rest + unit), no_pairs(), ledger, SplitConfig())
    found = dict(dealt.units.select("example_id", "split").rows())
    assert {found[row["id"]] for row in unit} == {expected}


def test_shares_of_every_category_approach_85_10_5_and_generated_rows_have_their_own():
    rng = random.Random(5)
    rows = [
        make_row(
            make_id(str(n)), f"only{n} text{n}", [f"thread:{n // rng.choice((1, 2, 3))}"], rng.choice("xy"),
            is_synthetic=n % 3 == 0,
        )
        for n in range(1200)
    ]  # fmt: skip
    dealt = deal_splits(frame(rows), no_pairs(), empty_ledger(), SplitConfig())
    joined = dealt.units.join(frame(rows), left_on="example_id", right_on="id")
    for category in "xy":
        for is_synthetic in (True, False):
            mine = joined.filter(category=category, is_synthetic=is_synthetic)
            shares = {split: mine.filter(split=split).height / mine.height for split in SPLITS}
            assert shares == pytest.approx({"train": 0.85, "validation": 0.10, "test": 0.05}, abs=0.02)


def test_torn_components_are_named_with_all_their_rows():
    rows = [make_row("a", make_text(0, 1, 0)), make_row("b", make_text(0, 0, 1)), make_row("n", make_text(0, 0, 0))]
    rows += [make_row("z", make_text(1, 0, 0))]
    pairs = find_unit_pairs(frame(rows), THRESHOLD, 1)
    assert list_torn(frame(rows), pairs, ledger_of(a="train", b="test", z="test")) == ["a", "b", "n"]
    assert list_torn(frame(rows), pairs, ledger_of(a="train", b="train", z="test")) == []


def test_a_preference_is_tied_by_its_chosen_and_by_its_rejected_answer():
    chosen, losing = make_text(0, 0, 0), make_text(0, 0, 0).split(" ", 1)[0] + " " + make_text(1, 0, 0).split(" ", 1)[1]
    rejected = json.dumps([{"role": "assistant", "content": losing.split(" ", 1)[1]}])
    preference = {**make_row("p", chosen), "rejected": rejected}
    rows = frame(
        [preference, make_row("a", make_text(0, 0, 1)), make_row("b", losing), make_row("z", make_text(2, 0, 0))]
    )
    pairs = find_unit_pairs(rows, THRESHOLD, 1)
    assert {frozenset(pair) for pair in pairs.iter_rows()} == {frozenset("pa"), frozenset("pb")}


def test_the_graph_ignores_pairs_of_rows_that_are_not_there():
    pairs = pl.DataFrame([("a", "gone")], schema=PAIRS, orient="row")
    graph = Graph(frame([make_row("a", "x y", ["k"])]), pairs)
    assert graph.edges.tolist() == [[0, 1]]
