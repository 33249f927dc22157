"""Frames are made strictly: what is no text never becomes one."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.frames import make_frame

COLUMNS = {"name": "text", "keys": "text[]?"}
TEXTS = st.text(st.characters(exclude_categories=("Cs",)))


@given(st.lists(st.none() | st.lists(TEXTS | st.none())))
def test_lists_come_out_as_they_went_in(values):
    frame = make_frame([{"name": "a", "keys": value} for value in values], COLUMNS)
    assert frame.schema == {"name": pl.String(), "keys": pl.List(pl.String())}
    assert frame["keys"].to_list() == values


def test_missing_keys_are_null_and_no_rows_are_a_frame():
    assert make_frame([{}], COLUMNS).rows() == [(None, None)]
    assert make_frame([], COLUMNS).schema == {"name": pl.String(), "keys": pl.List(pl.String())}


@pytest.mark.parametrize("value", [[1], ["a", 1], [1.5], [True], 5, [["a"]], [{"a": 1}], [b"a"]])
def test_what_is_no_list_of_texts_is_refused(value):
    with pytest.raises(TypeError):
        make_frame([{"name": "a", "keys": ["fine"]}, {"name": "b", "keys": value}], COLUMNS)
