"""What the building commands read from their options before they do anything."""

import pytest

from curator.cli.corpus import FORMAT_NAMES, parse_format
from curator.export.shapes import SHAPES
from schemas.errors import ConfigError


def test_the_formats_that_may_be_named_are_those_that_can_be_written():
    assert set(FORMAT_NAMES) == set(SHAPES)
    assert [parse_format(name) for name in FORMAT_NAMES] == list(FORMAT_NAMES)
    assert parse_format(None) is None


@pytest.mark.parametrize(
    ("given", "nearest"),
    [("jsonl", "messages"), ("sharegtp", "sharegpt"), ("alpacca", "alpaca"), ("chatml", "messages")],
)
def test_an_unknown_format_names_all_and_the_nearest(given, nearest):
    with pytest.raises(ConfigError) as caught:
        parse_format(given)
    assert caught.value.message == (
        f"--format {given!r}: no export format, expected sharegpt, alpaca, instruction, messages or preference"
    )
    assert caught.value.hint == f"try --format {nearest}"


@pytest.mark.parametrize("command", [("export",), ("run",), ("releases", "rebuild", "x")])
def test_an_unknown_format_stops_a_command_before_it_works(command, bare, cli):
    found = cli(bare, *command, "--format", "jsonl")
    assert found.code == 2
    assert "no export format" in found.err
    assert not (bare / "curator.db").exists()
