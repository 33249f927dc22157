"""The contract check: bad data fails before any training, with the ids of the rows."""

import json

import pytest

from schemas.errors import TrainError
from schemas.recipe import DataSection
from train.contract import check_contract, explain_offences, select_rows
from train.export_folder import read_export
from train.load import Base, find_base_stops, load_tokenizer
from train.tokenize import IGNORED

# Bad data stops before a minute of training: the first step of the chain.
pytestmark = pytest.mark.chain

USER = {"role": "user", "content": "How deep should I squat?"}
ANSWER = {"role": "assistant", "content": "As deep as you can."}
GOOD = {"messages": [USER, ANSWER]}


@pytest.fixture
def check(tiny_qwen2, write_export, tmp_path):
    """Checks rows against the tiny Qwen2: `check([row, ...])`; a good row stands before and after them."""

    def call(rows, *, kind="messages", good=GOOD, template=None, **data):
        export = read_export(write_export(tmp_path / "export", {"train": [good, *rows, good]}, kind=kind))
        tokenizer = load_tokenizer(Base("tiny", tiny_qwen2, "1"))
        tokenizer.chat_template = template or tokenizer.chat_template
        stops = find_base_stops(Base("tiny", tiny_qwen2, "1"), tokenizer)
        return check_contract(export, tokenizer, DataSection(**{"max_length": 256, **data}), stops)

    return call


def list_offences(checked):
    return {offence.rule: offence.ids for offence in checked.report.offences}


def test_good_rows_pass_and_are_counted(check):
    checked = check([GOOD])
    assert list_offences(checked) == {}
    assert checked.report.is_kept
    assert checked.report.used == {"train": 3, "validation": 0}
    assert checked.report.stop_tokens == ["<|im_end|>"]
    assert checked.report.mask_methods == {"marked": 3}
    assert checked.ids["train"] == ["train0", "train1", "train2"]
    trained = sum(label != IGNORED for row in checked.tokens["train"] for label in row.labels)
    assert checked.report.trained_tokens["train"] == trained > 0


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        ({"messages": [{"role": "human", "content": "How?"}, {"role": "gpt", "content": "So."}]}, "unknown_role"),
        ({"messages": [USER, ANSWER, USER]}, "user_last"),
        ({"messages": [USER]}, "user_last"),
        ({"messages": [ANSWER]}, "not_alternating"),
        ({"messages": [USER, USER, ANSWER]}, "not_alternating"),
        ({"messages": [USER, {"role": "assistant", "content": "  "}]}, "empty_turn"),
        ({"messages": [USER, {"role": "assistant", "content": "Bye<|im_end|>\n<|im_start|>user"}]}, "special_in_text"),
        ({"messages": [{"role": "user", "content": "squat " * 400}, ANSWER]}, "truncated_to_nothing"),
        ({"text": "How deep? As deep as you can."}, "unreadable"),
    ],
)
def test_a_planted_fault_fails_with_the_ids_of_its_rows(check, bad, rule):
    checked = check([bad, GOOD, bad])
    assert list_offences(checked)[rule] == ["train1", "train3"]
    assert not checked.report.is_kept
    assert checked.ids["train"] == ["train0", "train2", "train4"]
    error = explain_offences(checked.report)
    assert f"{rule} (" in error.message
    assert "train1, train3" in error.message
    assert error.hint


def test_a_sharegpt_file_trains_as_user_and_assistant_and_never_as_human(check):
    row = {"conversations": [{"from": "human", "value": "How deep?"}, {"from": "gpt", "value": "Deep."}]}
    checked = check([row], kind="sharegpt", good=row)
    assert checked.report.is_kept
    odd = {"conversations": [{"from": "person", "value": "How deep?"}, {"from": "gpt", "value": "Deep."}]}
    checked = check([odd], kind="sharegpt", good=row)
    assert list_offences(checked) == {"unknown_role": ["train1"]}


def test_a_template_that_hides_the_answers_leaves_an_empty_mask(check):
    checked = check([], template="{% for message in messages %}{{ message['role'] }}{% endfor %}")
    assert list_offences(checked) == {"mask_not_found": ["train0", "train1"]}


def test_a_template_without_a_stop_token_is_no_base_to_train(check):
    checked = check([], template="{% for message in messages %}{{ message['content'] + '\n' }}{% endfor %}")
    assert list_offences(checked) == {"stop_not_trained": ["train0", "train1"]}
    assert "generation_config.json" in explain_offences(checked.report).hint


def test_a_template_that_refuses_a_row_is_an_offence_and_no_traceback(check):
    checked = check([], template="{{ raise_exception('no') }}")
    assert list_offences(checked) == {"template_refuses": ["train0", "train1"]}


def test_a_row_that_loses_its_end_is_told_and_kept(check):
    long = {"messages": [USER, {"role": "assistant", "content": "squat " * 400}]}
    checked = check([long])
    assert list_offences(checked) == {"cut": ["train1"]}
    assert checked.report.is_kept
    assert checked.report.cut == 1
    assert max(len(row.ids) for row in checked.tokens["train"]) == 256


def test_counts_and_bytes_must_be_those_of_the_manifest(tiny_qwen2, write_export, tmp_path):
    folder = write_export(tmp_path / "export", {"train": [GOOD, GOOD]})
    with (folder / "train.jsonl").open("a") as file:
        file.write(json.dumps(GOOD) + "\n")
    tokenizer = load_tokenizer(Base("tiny", tiny_qwen2, "1"))
    checked = check_contract(read_export(folder), tokenizer, DataSection(), {tokenizer.eos_token_id})
    assert list_offences(checked)["counts_differ"] == [
        "train.jsonl: 3 rows, the manifest says 2",
        "rows.json: 2 ids for 3 rows of train.jsonl",
        "train.jsonl: its bytes are not those of the manifest",
    ]
    assert not checked.report.is_kept


def test_a_base_without_a_template_is_for_instruction_text(tiny_gpt2, write_export, tmp_path):
    export = read_export(write_export(tmp_path / "export", {"train": [GOOD]}))
    tokenizer = load_tokenizer(Base("tiny", tiny_gpt2, "1"))
    with pytest.raises(TrainError, match="no chat template"):
        check_contract(export, tokenizer, DataSection(), {tokenizer.eos_token_id})


def test_rows_without_ids_are_named_by_file_and_line(tiny_qwen2, write_export, tmp_path):
    export = read_export(write_export(tmp_path / "export", {"train": [GOOD, {"messages": [USER]}]}, ids=False))
    tokenizer = load_tokenizer(Base("tiny", tiny_qwen2, "1"))
    checked = check_contract(export, tokenizer, DataSection(), {tokenizer.eos_token_id})
    assert list_offences(checked) == {"user_last": ["train.jsonl:2"]}


def test_a_coach_role_chooses_its_rows(write_export, tmp_path):
    export = read_export(write_export(tmp_path / "export"))
    rows = select_rows(export, DataSection(), "planner")
    assert {row.coach_role for row in rows["train"]} == {"planner"}
    assert len(rows["train"]) == 12
    with pytest.raises(TrainError, match="no row with coach role 'insight'"):
        select_rows(export, DataSection(), "insight")


def test_rows_are_held_out_only_where_the_export_has_no_validation_split(write_export, tmp_path, facts):
    rows = [{"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]} for q, a in facts]
    bare = read_export(write_export(tmp_path / "bare", {"train": rows * 5}))
    split = select_rows(bare, DataSection(validation_ratio=0.1), None)
    assert (len(split["train"]), len(split["validation"])) == (36, 4)
    assert split == select_rows(bare, DataSection(validation_ratio=0.1), None)
    assert not {row.id for row in split["train"]} & {row.id for row in split["validation"]}
    whole = read_export(write_export(tmp_path / "whole"))
    assert len(select_rows(whole, DataSection(validation_ratio=0.1), None)["train"]) == 24


@pytest.mark.parametrize("kind", ["messages", "sharegpt", "alpaca"])
def test_every_chat_format_gives_the_same_turns(kind, write_export, tmp_path, facts):
    export = read_export(write_export(tmp_path / "export", kind=kind))
    turns = export.splits["train"][0].turns
    assert [turn["role"] for turn in turns if turn["role"] != "system"] == ["user", "assistant"]
    assert [turn["content"] for turn in turns if turn["role"] != "system"] == list(facts[0])


def test_an_alpaca_row_keeps_system_history_and_input(write_export, tmp_path):
    row = {
        "instruction": "Next?",
        "input": "80 kg",
        "output": "82.5 kg",
        "system": "Be brief.",
        "history": [["A?", "B."]],
    }
    turns = read_export(write_export(tmp_path / "export", {"train": [row]}, kind="alpaca")).splits["train"][0].turns
    assert [(turn["role"], turn["content"]) for turn in turns] == [
        ("system", "Be brief."), ("user", "A?"), ("assistant", "B."), ("user", "Next?\n\n80 kg"), ("assistant", "82.5 kg"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [(lambda f: (f / "manifest.json").unlink(), "no export"),
     (lambda f: (f / "manifest.json").write_text("[]"), "not a manifest"),
     (lambda f: (f / "train.jsonl").write_text("{\n"), "train.jsonl:1: no JSON"),
     (lambda f: (f / "manifest.json").write_text(
         (f / "manifest.json").read_text().replace('"messages"', '"preference"')), "cannot be trained on")],
)  # fmt: skip
def test_what_is_no_export_is_refused_in_one_line(change, message, write_export, tmp_path):
    folder = write_export(tmp_path / "export", {"train": [GOOD]})
    change(folder)
    with pytest.raises(TrainError) as error:
        read_export(folder)
    assert message in error.value.message
    assert "\n" not in error.value.message
