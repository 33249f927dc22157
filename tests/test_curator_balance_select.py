"""The mix solver against an exact search over every number of rows that each cell could give."""

import itertools
from collections import Counter
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.balance.problem import CELL, MORE, Problem, round_shares
from curator.balance.select import select_rows
from schemas.config import BalanceConfig

SCHEMA = {
    "id": pl.String,
    "category": pl.String,
    "source": pl.String,
    "licence": pl.String,
    "is_synthetic": pl.Boolean,
    "quality": pl.Float64,
    "author_hash": pl.String,
    "thread": pl.String,
}
FREE = BalanceConfig(max_synthetic_share=1.0)


def frame(rows: list[dict]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA)


def make_rows(category: str, count: int, **values) -> list[dict]:
    start = values.pop("start", 0)
    base = {
        "source": "reddit",
        "licence": "unknown",
        "is_synthetic": False,
        "quality": 0.5,
        "author_hash": None,
        "thread": None,
    }
    prefix = f"{category}-{values.get('source', 'reddit')}-{values.get('licence', '')}-{start}"
    return [{**base, "id": f"{prefix}-{n:05}", "category": category, **values} for n in range(count)]


def within(counts: dict[str, int], targets: dict[str, Fraction], tolerance: Fraction) -> bool:
    size = sum(counts.values())
    return all(abs(counts[name] - share * size) <= max(tolerance * size, 1) for name, share in targets.items())


def brute_force(
    cells: list[tuple], targets: dict[str, Fraction], config: BalanceConfig, size
) -> tuple[int, Fraction, int]:
    """Gives the best (rows, deviation, generated rows) over every way to take rows of the cells."""
    cap = Fraction(str(config.max_synthetic_share))
    supply = {
        name: any(not c[1] or cap >= 1 for c in cells if c[0] == name and c[4]) for name in targets
    }  # generated rows alone can never be used under a cap
    present = {name: share for name, share in targets.items() if supply[name]}
    if not present:
        return 0, Fraction(0), 0
    whole = sum(present.values())
    shares = {name: share / whole for name, share in present.items()}
    quotas = None if size == "max" else round_shares({name: float(share) for name, share in shares.items()}, size)
    usable = [range(c[4] + 1) if c[0] in shares else range(1) for c in cells]
    best = None
    for takes in itertools.product(*usable):
        total = sum(takes)
        counts = {name: sum(t for t, c in zip(takes, cells, strict=True) if c[0] == name) for name in shares}
        if quotas is None and not within(counts, shares, Fraction(str(config.tolerance))):
            continue
        if quotas is not None and any(counts[name] > quotas[name] for name in shares):
            continue
        generated = {n: sum(t for t, c in zip(takes, cells, strict=True) if c[0] == n and c[1]) for n in shares}
        if any(generated[name] > cap * counts[name] for name in shares):
            continue
        if not _shares_fit(takes, cells, 2, config.max_source_share, total):
            continue
        if not _shares_fit(takes, cells, 3, config.max_licence_share, total):
            continue
        deviation = sum(abs(counts[name] - share * total) for name, share in shares.items())
        found = (-total, deviation, sum(generated.values()))
        best = found if best is None else min(best, found)
    return -best[0], best[1], best[2]


def _shares_fit(takes, cells, column, cap, total) -> bool:
    found: Counter = Counter()
    for take, cell in zip(takes, cells, strict=True):
        found[cell[column]] += take
    return cap >= 1 or all(count <= Fraction(str(cap)) * total for count in found.values())


CELLS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.booleans(),
        st.sampled_from(["reddit", "pages"]),
        st.sampled_from(["MIT", "unknown"]),
        st.integers(1, 4),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda cell: cell[:4],
)
TARGETS = st.dictionaries(st.sampled_from("abc"), st.integers(1, 5), min_size=1, max_size=3)
CONFIGS = st.builds(
    BalanceConfig,
    tolerance=st.sampled_from([0.0, 0.01, 0.1]),
    max_synthetic_share=st.sampled_from([0.0, 0.4, 0.5, 1.0]),
    max_source_share=st.sampled_from([0.5, 0.7, 1.0]),
    max_licence_share=st.sampled_from([0.6, 1.0]),
)


def rows_of(cells: list[tuple]) -> list[dict]:
    return [
        row
        for category, is_synthetic, source, licence, count in cells
        for row in make_rows(
            category, count, is_synthetic=is_synthetic, source=source, licence=licence, start=int(is_synthetic)
        )
    ]


@settings(max_examples=15, deadline=None)
@given(CELLS, TARGETS, CONFIGS, st.sampled_from(["max", 1, 4, 9]), st.randoms(use_true_random=False))
def test_the_selection_is_as_large_as_close_and_as_human_as_any(cells, weights, config, size, rng):
    whole = sum(weights.values())
    targets = {name: Fraction(weight, whole) for name, weight in sorted(weights.items())}
    rows = rows_of(cells)
    plain = {name: float(share) for name, share in targets.items()}
    found = select_rows(frame(rows), plain, config, 7, size)
    chosen = frame(rows).join(found.chosen, on="id", how="semi")
    counts = {name: chosen.filter(category=name).height for name in targets}
    present = {name: Fraction(share).limit_denominator(100) for name, share in found.targets.items()}
    deviation = sum(abs(counts[name] - share * chosen.height) for name, share in present.items())
    expected = brute_force(cells, targets, config, size)
    assert (chosen.height, deviation, int(chosen["is_synthetic"].sum())) == expected
    assert found.counts == counts
    # No row twice, none lost, and the same for any order of rows.
    assert sorted([*found.chosen["id"], *found.refused["id"]]) == sorted(
        row["id"] for row in rows if row["category"] in targets
    )
    again = select_rows(frame(rng.sample(rows, len(rows))), plain, config, 7, size)
    assert again.chosen.equals(found.chosen)
    assert again.refused.equals(found.refused)
    assert again.shortfalls == found.shortfalls


def measure(rows: list[dict], targets: dict[str, float], config: BalanceConfig, size) -> int:
    return Problem.build(frame(rows), targets, config).measure(size)


@settings(max_examples=7, deadline=None)
@given(CELLS, TARGETS, CONFIGS, st.sampled_from(["max", 6]))
def test_what_is_named_as_binding_really_enlarges_the_selection_when_it_is_relaxed(cells, weights, config, size):
    whole = sum(weights.values())
    targets = {name: weight / whole for name, weight in sorted(weights.items())}
    rows = rows_of(cells)
    found = select_rows(frame(rows), targets, config, 7, size)
    for shortfall in found.shortfalls:
        assert shortfall.size_without > found.size
        kind, _, what = shortfall.what.partition(" ")
        if kind == "cap":
            relaxed = config.model_copy(update={what: 1.0 if what.endswith("share") else 10**9})
            assert measure(rows, targets, relaxed, size) == shortfall.size_without
        elif kind == "category":
            # As many rows as it is said to lack, each of another source and licence, reach that size; fewer do not.
            more = [
                row
                for number in range(shortfall.rows_lacking)
                for row in make_rows(what, 1, source=f"new{number}", licence=f"new{number}")
            ]
            assert measure(rows + more, targets, config, size) >= shortfall.size_without
            fewer = measure(rows + more[1:], targets, config, size)
            assert fewer < shortfall.size_without or config.max_source_share < 1 or config.max_licence_share < 1


ROWS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from([False, False, True]),
        st.sampled_from([None, "x", "y"]),
        st.sampled_from([None, "t", "u"]),
        st.sampled_from(["reddit", "pages"]),
        st.sampled_from([0.2, 0.8]),
    ),
    min_size=1,
    max_size=9,
)
CAPPED = st.builds(
    BalanceConfig,
    tolerance=st.sampled_from([0.0, 0.01, 0.1]),
    max_synthetic_share=st.sampled_from([0.4, 1.0]),
    max_source_share=st.sampled_from([0.6, 1.0]),
    max_per_author=st.integers(1, 3),
    max_per_thread=st.integers(1, 3),
)


def best_subset(rows: list[dict], targets: dict[str, Fraction], config: BalanceConfig, size, taken: dict[str, int]):
    """Gives the best (rows, deviation, generated rows) over every set of rows."""
    room = {name: max(0, config.max_per_author - taken.get(name, 0)) for name in "xy"}
    usable = [row for row in rows if row["author_hash"] is None or room[row["author_hash"]] > 0]
    cap = Fraction(str(config.max_synthetic_share))
    present = {
        name: share
        for name, share in targets.items()
        if any(row["category"] == name and (cap >= 1 or not row["is_synthetic"]) for row in usable)
    }
    if not present:
        return 0, Fraction(0), 0
    shares = {name: share / sum(present.values()) for name, share in present.items()}
    quotas = None if size == "max" else round_shares({name: float(share) for name, share in shares.items()}, size)
    usable = [row for row in usable if row["category"] in shares]
    best = (0, Fraction(0), 0)
    for number in range(1, 2 ** len(usable)):
        chosen = [row for place, row in enumerate(usable) if number >> place & 1]
        by = {key: Counter(row[key] for row in chosen) for key in ("category", "author_hash", "thread", "source")}
        generated = Counter(row["category"] for row in chosen if row["is_synthetic"])
        counts = {name: by["category"][name] for name in shares}
        deviation = sum(abs(counts[name] - share * len(chosen)) for name, share in shares.items())
        fits = (
            all(by["author_hash"][name] <= room[name] for name in room)
            and all(by["thread"][name] <= config.max_per_thread for name in "tu")
            and all(generated[name] <= cap * counts[name] for name in shares)
            and (config.max_source_share >= 1 or all(
                count <= Fraction(str(config.max_source_share)) * len(chosen) for count in by["source"].values()
            ))
            and (within(counts, shares, Fraction(str(config.tolerance))) if quotas is None
                 else all(counts[name] <= quotas[name] for name in shares))
        )  # fmt: skip
        if fits:
            best = min(best, (-len(chosen), deviation, sum(generated.values())))
    return -best[0], best[1], best[2]


@settings(max_examples=80, deadline=None)
@given(
    ROWS, TARGETS, CAPPED, st.sampled_from(["max", 1, 4, 7]), st.dictionaries(st.sampled_from("xy"), st.integers(0, 3))
)
def test_with_caps_on_authors_and_threads_no_set_of_rows_is_better(drawn, weights, config, size, taken):
    weights = {name: weight for name, weight in weights.items() if name in "ab"} or {"a": 1}
    targets = {name: Fraction(weight, sum(weights.values())) for name, weight in sorted(weights.items())}
    names = ("category", "is_synthetic", "author_hash", "thread", "source", "quality")
    rows = [
        {"id": f"row{number}", "licence": "", **dict(zip(names, row, strict=True))} for number, row in enumerate(drawn)
    ]
    found = select_rows(frame(rows), {name: float(share) for name, share in targets.items()}, config, 7, size, taken)
    chosen = frame(rows).join(found.chosen, on="id", how="semi")
    for author, count in chosen.drop_nulls("author_hash").group_by("author_hash").len().iter_rows():
        assert count <= config.max_per_author - taken.get(author, 0)
    assert all(n <= config.max_per_thread for n in chosen.drop_nulls("thread").group_by("thread").len()["len"])
    present = {name: Fraction(share).limit_denominator(100) for name, share in found.targets.items()}
    counts = {name: chosen.filter(category=name).height for name in present}
    deviation = sum((abs(counts[name] - share * chosen.height) for name, share in present.items()), Fraction(0))
    expected = best_subset(rows, targets, config, size, taken)
    assert (chosen.height, deviation, int(chosen["is_synthetic"].sum())) == expected
    assert sorted(found.refused["id"].to_list() + found.chosen["id"].to_list()) == sorted(
        row["id"] for row in rows if row["category"] in targets
    )


def test_an_author_over_the_cap_gives_the_rows_of_the_category_that_lacks_them():
    # The best rows of x are those of the plentiful category: taken first they would leave nothing of b.
    rows = make_rows("a", 20) + make_rows("a", 5, author_hash="x", quality=0.9, start=1)
    rows += make_rows("b", 5, author_hash="x", quality=0.1)
    found = select_rows(frame(rows), {"a": 0.5, "b": 0.5}, BalanceConfig(max_per_author=5), 1, "max")
    assert found.counts == {"a": 7, "b": 5}
    assert [i for i in found.chosen["id"] if i.startswith("a-") and "-1-" in i] == []
    assert set(found.refused.filter(pl.col("id").str.contains("-1-"))["reason"]) == {"author_cap"}


def test_thousands_of_threads_over_their_cap_are_thinned_where_rows_are_plentiful(monkeypatch):
    from curator.balance import groups

    monkeypatch.setattr(groups, "MAX_CELLS", 20)
    rows = [
        row
        for number in range(40)
        for category, count in (("a", 6), ("b", 2))
        for row in make_rows(
            category, count, thread=f"t{number}", start=number, quality=0.9 if category == "a" else 0.1
        )
    ]
    config = BalanceConfig(max_per_thread=4)
    found = select_rows(frame(rows), {"a": 0.5, "b": 0.5}, config, 1, "max")
    assert found.counts == {"a": 80, "b": 80}
    threads = frame(rows).join(found.chosen, on="id", how="semi").group_by("thread").len()["len"]
    assert max(threads) <= 4


def test_a_short_category_is_named_with_the_rows_it_lacks():
    rows = make_rows("a", 300) + make_rows("b", 60)
    found = select_rows(frame(rows), {"a": 0.5, "b": 0.5}, FREE, 1, 200)
    assert found.counts == {"a": 100, "b": 60}
    assert [(s.what, s.rows_lacking, s.size_without) for s in found.shortfalls] == [("category b", 40, 200)]


def test_two_categories_that_bind_together_are_named_together():
    rows = make_rows("a", 10) + make_rows("b", 10) + make_rows("c", 400) + make_rows("d", 400)
    found = select_rows(frame(rows), dict.fromkeys("abcd", 0.25), FREE, 1, "max")
    assert found.size == 44
    assert [s.what for s in found.shortfalls] == ["categories a, b"]
    assert found.shortfalls[0].size_without > 1600


def test_a_perfect_fit_has_nothing_to_explain():
    rows = make_rows("a", 30) + make_rows("b", 10)
    found = select_rows(frame(rows), {"a": 0.75, "b": 0.25}, FREE, 1, 40)
    assert (found.size, found.shortfalls) == (40, [])


def test_the_cap_on_generated_rows_is_named_with_the_size_it_costs():
    rows = make_rows("a", 6) + make_rows("a", 50, source="synthetic", is_synthetic=True)
    found = select_rows(frame(rows), {"a": 1.0}, BalanceConfig(max_synthetic_share=0.4), 1, "max")
    assert found.size == 10
    assert [(s.what, s.size_without) for s in found.shortfalls if s.what.startswith("cap")] == [
        ("cap max_synthetic_share", 56)
    ]


def test_a_category_that_cannot_be_supplied_leaves_the_others_in_proportion():
    rows = make_rows("a", 100) + make_rows("b", 100) + make_rows("c", 50, source="synthetic", is_synthetic=True)
    found = select_rows(frame(rows), {"a": 0.6, "b": 0.2, "c": 0.2}, BalanceConfig(), 1, 40)
    assert found.missing == ["c"]
    assert found.targets == pytest.approx({"a": 0.75, "b": 0.25})
    assert found.counts == {"a": 30, "b": 10, "c": 0}
    assert "category c" not in [s.what for s in found.shortfalls]


def test_nothing_to_choose_from_gives_nothing():
    found = select_rows(frame([]), {"a": 0.5, "b": 0.5}, BalanceConfig(), 1, "max")
    assert (found.size, found.counts, found.missing) == (0, {"a": 0, "b": 0}, ["a", "b"])


def test_large_selections_are_exact_to_the_row():
    # 98,421 of b bind: the largest N with 0.29 N <= 98,421 is 339,382. A gap of 0.01 % would lose up to 33 rows.
    cells = pl.DataFrame(
        [("a", False, "", "", 400_000), ("b", False, "", "", 98_421), ("c", False, "", "", 150_007), ("c", True, "", "", 90_000)],
        schema=dict(zip([*CELL, "available"], [pl.String, pl.Boolean, pl.String, pl.String, pl.UInt32], strict=True)),
        orient="row",
    )  # fmt: skip
    takes = Problem(cells, {"a": 0.3, "b": 0.3, "c": 0.4}, FREE).solve("max")
    size = int(takes.sum())
    assert size == 339_382
    assert takes[1] == 98_421


def test_a_row_of_another_source_never_beats_a_better_one():
    rows = make_rows("a", 20, source="zeta", quality=0.9) + make_rows("a", 20, source="alpha", quality=0.1)
    found = select_rows(frame(rows), {"a": 1.0}, FREE, 1, 20)
    assert {name.split("-")[1] for name in found.chosen["id"]} == {"zeta"}


def test_rows_of_people_come_before_better_generated_ones():
    rows = make_rows("a", 10, quality=0.1) + make_rows("a", 20, quality=0.9, source="synthetic", is_synthetic=True)
    found = select_rows(frame(rows), {"a": 1.0}, FREE, 1, 15)
    assert Counter(name.split("-")[1] for name in found.chosen["id"]) == {"reddit": 10, "synthetic": 5}


def test_best_quality_goes_first_and_the_seed_breaks_ties():
    rows = make_rows("a", 30, quality=0.5) + make_rows("a", 3, quality=0.8, start=1)
    chosen = {seed: set(select_rows(frame(rows), {"a": 1.0}, FREE, seed, 10).chosen["id"]) for seed in (1, 1, 2)}
    assert all(sum("-1-" in name for name in names) == 3 for names in chosen.values())
    assert chosen[1] != chosen[2]
    assert chosen[1] == set(select_rows(frame(rows[::-1]), {"a": 1.0}, FREE, 1, 10).chosen["id"])


def test_one_author_and_one_thread_give_no_more_than_their_caps():
    rows = (
        make_rows("a", 10, author_hash="x", quality=0.9)
        + make_rows("a", 10, thread="t", start=1)
        + make_rows("a", 5, start=2)
    )
    config = BalanceConfig(max_per_author=3, max_per_thread=4)
    found = select_rows(frame(rows), {"a": 1.0}, config, 1, "max")
    assert found.size == 3 + 4 + 5
    assert Counter(found.refused["reason"]) == {"author_cap": 7, "thread_cap": 6}
    caps = {s.what: s.size_without for s in found.shortfalls}
    assert caps["cap max_per_author"] == 19
    assert caps["cap max_per_thread"] == 18


def test_rows_that_other_splits_hold_count_towards_the_cap_of_their_author():
    rows = make_rows("a", 10, author_hash="x") + make_rows("a", 10, author_hash="y", start=1)
    found = select_rows(frame(rows), {"a": 1.0}, BalanceConfig(max_per_author=4), 1, "max", {"x": 3, "y": 9})
    assert found.size == 1
    assert found.refused["reason"].to_list() == ["author_cap"] * 19


def test_caps_on_source_and_licence_shares_hold():
    rows = make_rows("a", 50) + make_rows("a", 10, source="pages", licence="MIT")
    found = select_rows(frame(rows), {"a": 1.0}, BalanceConfig(max_source_share=0.75), 1, "max")
    assert found.size == 40
    assert ("cap max_source_share", 60) in [(s.what, s.size_without) for s in found.shortfalls]
    assert not any(MORE in s.what for s in found.shortfalls)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9), min_size=1), st.integers(0, 500))
def test_quotas_add_up_and_lie_within_one_row_of_their_share(weights, total):
    whole = sum(weights.values())
    shares = {name: weight / whole for name, weight in weights.items()}
    quotas = round_shares(shares, total)
    assert sum(quotas.values()) == total
    assert all(abs(quotas[name] - share * total) < 1 + 1e-6 for name, share in shares.items())
    # Largest remainder: nobody who was rounded down had more left over than one who was rounded up.
    rest = {name: Fraction(weights[name] * total, whole) % 1 for name in shares}
    up = [rest[n] for n in shares if quotas[n] > Fraction(weights[n] * total, whole)]
    down = [rest[n] for n in shares if quotas[n] < Fraction(weights[n] * total, whole)]
    assert not up or not down or min(up) >= max(down)


def test_quotas_break_ties_by_name():
    assert round_shares({"b": 0.5, "a": 0.5}, 3) == {"b": 1, "a": 2}


def test_where_generated_rows_stand_alone_their_cap_is_all_that_is_named():
    rows = frame(
        make_rows("a", 6, source="synthetic", is_synthetic=True)
        + make_rows("b", 6, source="synthetic", is_synthetic=True)
    )
    found = select_rows(rows, {"a": 0.5, "b": 0.5}, BalanceConfig(max_synthetic_share=0.4), 1, "max")
    assert (found.size, found.missing) == (0, ["a", "b"])
    assert [vars(item) for item in found.shortfalls] == [
        {"what": "cap max_synthetic_share", "rows_lacking": 0, "size_without": 12}
    ]
