"""A release that leaks is found out; one that does not is not accused."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.balance.verify import MAX_SHOWN, Leak, find_leaks

MEMBERS = {"example_id": pl.String, "split": pl.String, "unit_id": pl.String}
PAIRS = {"left_id": pl.String, "right_id": pl.String}


def members(*rows: tuple[str, str, str]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=MEMBERS, orient="row")


def pairs(*rows: tuple[str, str]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=PAIRS, orient="row")


def test_a_near_duplicate_across_splits_is_named_with_both_sides():
    rows = members(("a", "train", "u"), ("b", "test", "v"), ("c", "train", "w"))
    assert find_leaks(rows, rows, pairs(("a", "b"), ("a", "c"))) == [Leak("near_duplicate", "a", "train", "b", "test")]


def test_a_unit_in_two_splits_is_named():
    rows = members(("a", "train", "u"), ("b", "validation", "u"))
    assert find_leaks(rows, rows, pairs()) == [Leak("unit", "u", "train", "u", "validation")]


def test_pairs_with_rows_outside_the_release_do_not_count():
    rows = members(("a", "train", "u"), ("b", "test", "v"))
    assert find_leaks(rows, rows, pairs(("a", "gone"), ("gone", "b"))) == []


def test_many_leaks_are_cut_off_but_never_to_none():
    rows = members(*[(f"{n:03}", "train" if n % 2 else "test", f"u{n}") for n in range(400)])
    crossing = pairs(*[(f"{n:03}", f"{n + 1:03}") for n in range(0, 400, 2)])
    assert len(find_leaks(rows, rows, crossing)) == MAX_SHOWN


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["train", "test"]), st.integers(0, 3)), min_size=1, max_size=7),
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=6),
)
def test_leaks_are_exactly_the_pairs_and_units_that_cross(placed, edges):
    rows = [(str(n), split, f"u{unit}") for n, (split, unit) in enumerate(placed)]
    near = sorted({(str(min(e)), str(max(e))) for e in edges if e[0] != e[1] and max(e) < len(rows)})
    splits = {name: split for name, split, _ in rows}
    torn = [("near_duplicate", a, b) for a, b in near if splits[a] != splits[b]]
    units = sorted({unit for _, _, unit in rows})
    torn += [("unit", u, u) for u in units if len({split for _, split, unit in rows if unit == u}) > 1]
    found = find_leaks(members(*rows), members(*rows), pairs(*near))
    assert [(leak.reason, leak.left, leak.right) for leak in found] == torn
