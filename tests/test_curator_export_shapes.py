"""The exact rows and bytes of every export format."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.export.jsonlines import dump_line, dump_lines
from curator.export.prompts import attach_system_prompt, build_system_prompt
from curator.export.rights import find_most_restrictive, summarise_rights
from curator.export.shapes import SHAPES, UnfitError
from curator.export.stage import load_validator
from sources.packs.loader import load_pack

GOLDEN = Path(__file__).parent / "golden"
SYSTEM = {"role": "system", "content": "You are a coach."}
PLAIN = [
    {"role": "user", "content": "How deep should I squat?"},
    {"role": "assistant", "content": "As deep as your back stays flat.\nBelow parallel if you can."},
]
WITH_INPUT = [
    {"role": "user", "content": "Rate my swing.", "input": '{"tempo": 3.1}'},
    {"role": "assistant", "content": "Three to one: smooth."},
]
INPUT_ALONE = [{"role": "user", "content": "", "input": "Bench 100 kg"}, {"role": "assistant", "content": "Strong."}]
LONG = [
    SYSTEM,
    {"role": "user", "content": "كيف أبدأ؟"},
    {"role": "assistant", "content": "ابدأ بالبار الفارغ 💪"},
    {"role": "user", "content": "And then?", "input": "week 2"},
    {"role": "assistant", "content": 'Add 5 kg.\u2028"Slowly"\u2029now\u0085then\ttab\x7f'},
]
CALL = {"id": "c1", "type": "function", "function": {"name": "log", "arguments": '{"kg": 100}'}}
TOOLS = [
    {"role": "user", "content": "Log my squat."},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "content": "ok", "tool_call_id": "c1", "name": "log"},
    {"role": "assistant", "content": "Logged."},
]
TOOL_LIST = {"tools": [{"type": "function", "function": {"name": "log"}}]}
LOSER = {"rejected": [{"role": "assistant", "content": "Who knows."}]}
CASES = {
    "sharegpt": [(PLAIN, {}), (WITH_INPUT, {}), (INPUT_ALONE, {}), (LONG, {})],
    "alpaca": [(PLAIN, {}), (WITH_INPUT, {}), (INPUT_ALONE, {}), (LONG, {})],
    "instruction": [(PLAIN, {}), (WITH_INPUT, {}), (INPUT_ALONE, {}), (LONG, {})],
    "messages": [(PLAIN, {}), (WITH_INPUT, {}), (INPUT_ALONE, {}), (LONG, {}), (TOOLS, TOOL_LIST)],
    "preference": [(PLAIN, LOSER), (WITH_INPUT, LOSER), (LONG, LOSER)],
}


@pytest.mark.parametrize("name", CASES)
def test_rows_of_a_format_are_byte_for_byte_those_of_its_golden_file(name):
    rows = [SHAPES[name](turns, metadata) for turns, metadata in CASES[name]]
    assert dump_lines(rows) == (GOLDEN / f"export_{name}.jsonl").read_bytes()
    assert dump_lines(rows, as_array=True) == (GOLDEN / f"export_{name}.json").read_bytes()


@pytest.mark.parametrize("name", CASES)
def test_lines_and_array_hold_the_same_rows_and_all_fit_the_schema(name):
    lines = (GOLDEN / f"export_{name}.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in lines.splitlines()]
    assert rows == json.loads((GOLDEN / f"export_{name}.json").read_text(encoding="utf-8"))
    assert len(rows) == len(CASES[name])
    assert all(load_validator(name).is_valid(row) for row in rows)


def plant(name: str) -> list[dict]:
    """Rows of a format that must not pass, each broken in one way."""
    turn = {"role": "user", "content": "x"}
    answer = {"role": "assistant", "content": "y"}
    return {
        "sharegpt": [
            {},
            {"conversations": []},
            {"conversations": [{"from": "human", "value": "x"}]},
            {"conversations": [{"from": "human", "value": "x"}, {"from": "gpt", "value": "  \n"}]},
            {"conversations": [{"from": "human", "value": "x"}, {"from": "gpt", "value": None}]},
            {"conversations": [{"from": "user", "value": "x"}, {"from": "gpt", "value": "y"}]},
            {"conversations": [{"from": "gpt", "value": "x"}, {"from": "human", "value": "y"}]},
            {"conversations": [{"from": "human", "value": "x"}, {"from": "system", "value": "y"}]},
            {"conversations": [{"from": "human", "value": "x", "weight": 1}, {"from": "gpt", "value": "y"}]},
            {"conversations": [{"from": "human", "value": "x"}, {"from": "gpt", "value": "y"}], "id": 1},
        ],
        "alpaca": [
            {"instruction": "x", "output": "y"},
            {"instruction": "x", "input": None, "output": "y"},
            {"instruction": " ", "input": "", "output": "y"},
            {"instruction": "x", "input": "", "output": ""},
            {"instruction": "x", "input": "", "output": "y", "system": None},
            {"instruction": "x", "input": "", "output": "y", "history": []},
            {"instruction": "x", "input": "", "output": "y", "history": [["a"]]},
            {"instruction": "x", "input": "", "output": "y", "history": [["a", "b", "c"]]},
            {"instruction": "x", "input": "", "output": "y", "extra": 1},
        ],
        "instruction": [
            {"prompt": "x", "completion": "y"},
            {"prompt": "### Instruction:\nx", "completion": "y"},
            {"prompt": "### Instruction:\nx\n\n### Response:\n", "completion": " "},
            {"prompt": "### Instruction:\nx\n\n### Response:\n"},
        ],
        "messages": [
            {"messages": [turn]},
            {"messages": [turn, {"role": "assistant", "content": " "}]},
            {"messages": [turn, {"role": "bot", "content": "y"}]},
            {"messages": [turn, {"role": "assistant", "content": None}]},
            {"messages": [turn, {**answer, "weight": 0}]},
            {"messages": [turn, answer], "tools": "[]"},
        ],
        "preference": [
            {"prompt": [turn], "chosen": [answer]},
            {"prompt": [], "chosen": [answer], "rejected": [answer]},
            {"prompt": [turn], "chosen": [answer, answer], "rejected": [answer]},
            {"prompt": [turn], "chosen": [answer], "rejected": [{"role": "assistant", "content": ""}]},
        ],
    }[name]


@pytest.mark.parametrize("name", CASES)
def test_the_schema_rejects_every_planted_row(name):
    validator = load_validator(name)
    assert [row for row in plant(name) if validator.is_valid(row)] == []


@pytest.mark.parametrize("name", ["sharegpt", "alpaca", "instruction", "preference"])
def test_tool_turns_do_not_fit_and_are_not_flattened(name):
    with pytest.raises(UnfitError, match="tool_turns"):
        SHAPES[name](TOOLS, LOSER)
    with pytest.raises(UnfitError, match="tool_turns"):
        SHAPES[name](PLAIN, {**LOSER, **TOOL_LIST})


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["\u2028\u2029\u0085", "a\u0085b"]
)


@given(st.lists(st.dictionaries(TEXT, TEXT, max_size=3), max_size=4))
def test_every_reader_splits_the_lines_alike_and_gets_the_rows_back(rows):
    data = dump_lines(rows)
    assert [json.loads(line) for line in data.decode().splitlines()] == rows
    assert data.count(b"\n") == len(rows)
    assert json.loads(dump_lines(rows, as_array=True)) == rows


def test_only_line_breaks_are_escaped_and_keys_keep_their_order():
    assert (
        dump_line({"b": "é\u2028م💪\u2029", "a": "\u0085\n"}) == '{"b":"é\\u2028م💪\\u2029","a":"\\u0085\\n"}'.encode()
    )


def test_the_pack_speaks_first_unless_the_row_has_a_system_turn_of_its_own():
    pack = load_pack("fitness")
    role = next(iter(pack.roles))
    attached = attach_system_prompt(PLAIN, pack, role, "en")
    assert attached[1:] == PLAIN
    assert attached[0] == {"role": "system", "content": build_system_prompt(pack, role, "en")}
    assert attached[0]["content"].endswith(pack.safety_sentence["en"])
    assert attach_system_prompt(LONG, pack, role, "en") == LONG
    assert build_system_prompt(pack, role, "ar") != build_system_prompt(pack, role, "en")
    assert build_system_prompt(pack, role, "xx") == build_system_prompt(pack, role, "en")


@pytest.mark.parametrize(
    ("licences", "expected"),
    [
        (["MIT"], "MIT"),
        (["CC0-1.0", "CC-BY-4.0", "MIT"], "CC-BY-4.0"),
        (["CC-BY-SA-4.0", "CC-BY-NC-4.0"], "CC-BY-NC-4.0"),
        (["CC-BY-NC-ND-4.0", "CC-BY-ND-4.0"], "CC-BY-NC-ND-4.0"),
        (["MIT", "Some own terms"], "unknown"),
        (["unknown", "CC-BY-NC-ND-4.0"], "unknown"),
        ([], "unknown"),
    ],
)
def test_the_most_restrictive_licence_binds_the_whole(licences, expected):
    assert find_most_restrictive(licences) == expected
    assert find_most_restrictive(licences[::-1]) == expected


def test_rights_count_rows_and_name_each_attribution_once():
    import polars as pl

    rows = pl.DataFrame(
        {
            "licence": ["MIT", "CC-BY-4.0", "CC-BY-4.0"],
            "permission": ["own", "granted", "unknown"],
            "attribution": [None, "B", "A"],
            "source": ["a", "b", "b"],
        }
    )
    assert summarise_rights(rows) == {
        "licence": "CC-BY-4.0",
        "licences": {"CC-BY-4.0": 2, "MIT": 1},
        "permissions": {"granted": 1, "own": 1, "unknown": 1},
        "unknown_permission": 1,
        "is_publishable": False,
        "attributions": ["A", "B"],
    }
