"""How stored messages become plain text, and what order of turns an export can carry."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.text import check_structure, flatten_messages, join_turn, map_contents, read_turns

USER = {"role": "user", "content": "How?"}
ANSWER = {"role": "assistant", "content": "So."}
SYSTEM = {"role": "system", "content": "Be kind."}
CALL = {"role": "assistant", "content": "", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]}
RESULT = {"role": "tool", "content": "42", "tool_call_id": "1"}


@pytest.mark.parametrize(
    "turns",
    [
        [USER, ANSWER],
        [SYSTEM, USER, ANSWER],
        [USER, ANSWER, USER, ANSWER],
        [USER, CALL, RESULT, ANSWER],
        [USER, CALL, RESULT, RESULT, ANSWER, USER, ANSWER],
        [{"role": "user", "content": "", "input": "data"}, ANSWER],
    ],
)
def test_these_conversations_can_be_exported(turns):
    assert check_structure(turns) is None


@pytest.mark.parametrize(
    ("turns", "fault"),
    [
        ([], "must_start_with_user_and_end_with_assistant"),
        ([USER], "must_start_with_user_and_end_with_assistant"),
        ([SYSTEM, ANSWER], "must_start_with_user_and_end_with_assistant"),
        ([ANSWER, USER], "must_start_with_user_and_end_with_assistant"),
        ([USER, ANSWER, USER], "must_start_with_user_and_end_with_assistant"),
        ([SYSTEM, SYSTEM, USER, ANSWER], "must_start_with_user_and_end_with_assistant"),
        ([USER, USER, ANSWER], "turns_do_not_alternate"),
        ([USER, ANSWER, ANSWER], "turns_do_not_alternate"),
        ([USER, ANSWER, SYSTEM, USER, ANSWER], "turns_do_not_alternate"),
        ([USER, RESULT, ANSWER], "turns_do_not_alternate"),
        ([USER, CALL, RESULT, USER, ANSWER], "turns_do_not_alternate"),
        ([USER, {"role": "assistant", "content": " \n"}], "empty_turn"),
        ([{"role": "user", "content": "", "input": " "}, ANSWER], "empty_turn"),
        ([{"role": "system", "content": ""}, USER, ANSWER], "empty_turn"),
    ],
)
def test_these_cannot_and_the_fault_is_named(turns, fault):
    assert check_structure(turns) == fault


def test_an_input_follows_after_a_blank_line_or_stands_alone():
    assert join_turn({"content": "Rate it.", "input": "3.1"}) == "Rate it.\n\n3.1"
    assert join_turn({"content": "", "input": "3.1"}) == "3.1"
    assert join_turn({"content": "Rate it.", "input": None}) == "Rate it."
    assert join_turn({"content": None}) == ""


def test_a_conversation_is_flattened_into_its_parts():
    turns = [SYSTEM, {**USER, "input": "x"}, CALL, RESULT, ANSWER, {"role": "user", "content": "And?"}, ANSWER]
    flat = flatten_messages(pl.DataFrame({"messages": [json.dumps(turns)]})).row(0, named=True)
    assert flat == {
        "prompt": "How?\n\nx\nAnd?",
        "answer": "\nSo.\nSo.",
        "question": "How?\n\nx",
        "full": "How?\n\nx\n\n42\nSo.\nAnd?\nSo.",
        "structure": None,
    }


def test_the_losing_answer_of_a_preference_is_part_of_the_text_but_not_of_the_answer():
    losing = [{"role": "assistant", "content": "No idea."}]
    frame = pl.DataFrame({"messages": [json.dumps([USER, ANSWER])] * 2, "rejected": [json.dumps(losing), None]})
    flat = flatten_messages(frame)
    assert flat["full"].to_list() == ["How?\nSo.\nNo idea.", "How?\nSo."]
    assert flat["answer"].to_list() == ["So.", "So."]
    empty = pl.DataFrame(
        {"messages": [json.dumps([USER, ANSWER])], "rejected": ['[{"role":"assistant","content":" "}]']}
    )
    assert flatten_messages(empty)["structure"].to_list() == ["empty_turn"]


def test_flattening_keeps_the_order_and_number_of_rows():
    assert flatten_messages(pl.DataFrame(schema={"messages": pl.String})).height == 0
    rows = [json.dumps([{"role": "user", "content": f"q{n}"}, ANSWER]) for n in range(5)]
    assert flatten_messages(pl.DataFrame({"messages": rows}))["question"].to_list() == [f"q{n}" for n in range(5)]


def test_turns_are_read_by_role():
    assert read_turns(json.dumps([SYSTEM, USER, ANSWER]), "system", "assistant") == ["Be kind.", "So."]


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_change_reaches_every_text_and_nothing_else(content, extra):
    turns = [{"role": "user", "content": content, "input": extra}, {**CALL, "content": content}, RESULT, ANSWER]
    upper = json.loads(map_contents(json.dumps(turns), lambda text: f"<{text}>"))
    assert [turn["role"] for turn in upper] == ["user", "assistant", "tool", "assistant"]
    assert upper[0]["content"].strip("<>") == content.strip("<>")
    assert upper[1]["tool_calls"][0]["function"]["arguments"] == "<{}>"
    assert upper[2]["tool_call_id"] == "1"
    assert json.loads(map_contents(json.dumps(turns), str)) == turns
