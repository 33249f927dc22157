"""What the pages are made of: diffs, counts at other thresholds, pictures, text that cannot break out."""

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from curator.service.pages.lineage import draw_lineage
from curator.service.pages.picture import draw_result, pick_columns
from curator.service.pages.render import write_query, write_script_json
from curator.service.pages.rows import mark_words
from curator.service.pages.word_diff import CONTEXT_WORDS, diff_words, shorten
from curator.thresholds import _count, _span

WORDS = st.lists(st.sampled_from(["squat", "deep", "your", "heels", "down", "\n", "  "]), max_size=30).map(" ".join)


@settings(deadline=None)
@given(WORDS, WORDS)
def test_a_word_diff_holds_both_texts(before, after):
    parts = diff_words(before, after)
    assert "".join(text for kind, text in parts if kind != "ins") == before
    assert "".join(text for kind, text in parts if kind != "del") == after


@settings(deadline=None)
@given(WORDS, WORDS)
def test_a_short_diff_keeps_every_change(before, after):
    parts = diff_words(before, after)
    changes = [part for part in shorten(parts) if part[0] != "same"]
    assert changes == [part for part in parts if part[0] != "same"]


def test_a_short_diff_cuts_what_both_texts_have():
    same = " ".join(f"word{n}" for n in range(200))
    (_, kept), change = shorten(diff_words(f"{same} old", f"{same} new"))[0:2]
    assert change == ("del", "old")
    assert kept.startswith("… ")
    assert kept.count("word") == CONTEXT_WORDS


def count_by_hand(pairs, num_rows, threshold):
    group = list(range(num_rows))
    for left, right, similarity in pairs:
        if similarity >= threshold:
            old, new = group[left], group[right]
            group = [new if mark == old else mark for mark in group]
    sizes = [group.count(mark) for mark in set(group)]
    return {"removed": num_rows - len(sizes), "clusters": sum(size > 1 for size in sizes), "largest": max(sizes)}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(70, 100)), max_size=25))
def test_counts_at_each_threshold_are_those_of_all_pairs(drawn):
    unique = {(min(a, b), max(a, b)): score / 100 for a, b, score in drawn if a != b}
    pairs = [(left, right, score) for (left, right), score in unique.items()]
    frame = pl.DataFrame(pairs, {"left": pl.UInt32, "right": pl.UInt32, "similarity": pl.Float32}, orient="row")
    forest = _span(frame, 9)
    for threshold in (0.7, 0.8, 0.93, 1.0):
        found = _count(forest, 9, threshold)
        assert {key: found[key] for key in ("removed", "clusters", "largest")} == count_by_hand(pairs, 9, threshold)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_json_in_a_page_cannot_end_its_element(text):
    written = str(write_script_json({"text": text + "</script><!--"}))
    assert "<" not in written
    assert json.loads(written) == {"text": text + "</script><!--"}


def test_marked_words_lose_nothing_of_the_text():
    parts = mark_words("Squatting: how deep is a (deep) squat?", ["deep", "squat"])
    assert "".join(text for _, text in parts) == "Squatting: how deep is a (deep) squat?"
    assert [text for is_word, text in parts if is_word] == ["Squat", "deep", "deep", "squat"]


def test_an_address_leaves_out_what_is_empty():
    assert write_query({"q": "a b", "page": 3, "source": ""}, page=4) == "q=a+b&page=4"


@pytest.mark.parametrize(
    ("kind", "asked", "expected"),
    [("bar", ("", ""), ("year", "rows")), ("bar", ("source", "year"), ("source", "year")),
     ("line", ("no_such", "rows"), ("year", "rows")), ("histogram", ("", "rows"), ("rows", "rows"))],
)  # fmt: skip
def test_a_picture_takes_the_columns_that_fit(kind, asked, expected):
    frame = pl.DataFrame({"year": [2024], "source": ["reddit"], "rows": [3]})
    assert pick_columns(frame, kind, *asked) == expected


def test_a_picture_leaves_out_what_is_no_figure():
    frame = pl.DataFrame({"x": ["a", None, "c"], "y": [1.5, float("nan"), None]})
    picture = draw_result(frame, "bar", "x", "y")
    assert picture["x"] == ["a", "null", "c"]
    assert picture["series"][0]["values"] == [1.5, None, None]


def test_lines_of_the_lineage_are_as_wide_as_their_rows():
    flows = [
        {"source": "reddit", "release_id": "r" * 32, "rows": 100},
        {"source": "notes", "release_id": "r" * 32, "rows": 50},
    ]
    adapters = [{"id": "a" * 32, "release_id": "r" * 32, "recipe": "sft", "base": "org/tiny", "rows": 150}]
    deployments = [{"id": "d" * 32, "adapter_id": "a" * 32, "quantisation": "q8_0", "endpoint": None}]
    picture = draw_lineage(flows, adapters, deployments)
    assert [item["box"].kind for item in picture["boxes"]] == ["source", "source", "release", "adapter", "deployment"]
    widths = [line["width"] for line in picture["lines"]]
    assert widths[0] == pytest.approx(2 * widths[1], abs=0.1)
    assert widths[2] == 14.0
    assert [item["box"].note for item in picture["boxes"]][2:4] == ["150 rows", "tiny"]
