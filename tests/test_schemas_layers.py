"""Settings from several places: the strongest wins, key by key, and its name is told."""

import pytest
from pydantic import BaseModel, ValidationError

from schemas.layers import find_origin, locate_error, merge_layers

LAYERS = [("flag", {"a": {"x": 1}}), ("file", {"a": {"x": 2, "y": 3}, "b": [1, 2]}), ("pack", {"b": [3], "c": None})]


class Inner(BaseModel):
    x: int | list[int] = 0
    y: int


class Outer(BaseModel):
    a: Inner


def test_tables_are_merged_and_everything_else_is_replaced_whole():
    assert merge_layers(LAYERS) == {"a": {"x": 1, "y": 3}, "b": [1, 2], "c": None}
    assert merge_layers([("flag", {"a": 1}), ("file", {"a": {"x": 2}})]) == {"a": 1}
    assert LAYERS[1][1]["a"] == {"x": 2, "y": 3}


@pytest.mark.parametrize(
    ("key", "origin"),
    [("a.x", "flag"), ("a.y", "file"), ("b", "file"), ("c", "pack"), ("d", "default"), ("b.x", "default")],
)
def test_a_value_comes_from_the_strongest_place_that_has_it(key, origin):
    assert find_origin(key, LAYERS) == origin


@pytest.mark.parametrize(
    ("layers", "found"),
    [([("flag", {"a": {"x": "no"}}), ("file", {"a": {"y": 1}})], ("a.x", "flag")),
     ([("file", {"a": {}})], ("a", "file")),
     ([("file", {})], ("a", "default"))],
)  # fmt: skip
def test_a_fault_is_located_at_the_setting_that_a_place_has(layers, found):
    with pytest.raises(ValidationError) as error:
        Outer.model_validate(merge_layers(layers))
    assert locate_error(error.value, layers) == found
