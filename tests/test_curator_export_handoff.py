"""What other trainers find beside the data."""

import json

import pytest
import yaml

from curator.export.handoff import HANDOFF_NAMES, build_handoff
from curator.export.jsonlines import Lines
from curator.export.shapes import SHAPES, SHAREGPT_ROLES

TAGS = {"role_tag", "content_tag", "user_tag", "assistant_tag", "observation_tag", "function_tag", "system_tag"}
PATHS = {"train": "train.jsonl", "validation": "validation.jsonl"}
MEMBERS = [("a", "train", "coach"), ("b", "train", "planner"), ("c", "validation", "coach")]
TURNS = [{"role": "user", "content": "How deep?"}, {"role": "assistant", "content": "Deep."}]


def build(name, optional_keys=(), turns=TURNS):
    """Gives the files of an export whose first row has these turns, and all others the plain ones."""
    first, row = (
        SHAPES[name](given, {"rejected": [{"role": "assistant", "content": "Not\u2028at all."}]})
        for given in (turns, TURNS)
    )
    files = build_handoff(
        name, PATHS, MEMBERS, optional_keys, {"train": Lines([first, row]), "validation": Lines([row])}
    )
    assert set(files) <= HANDOFF_NAMES
    return files


@pytest.mark.parametrize("name", SHAPES)
def test_every_row_has_its_id_and_role_in_the_order_of_the_files(name):
    rows = json.loads(build(name)["rows.json"])
    assert rows == {"train": [["a", "coach"], ["b", "planner"]], "validation": [["c", "coach"]]}


@pytest.mark.parametrize("name", ["sharegpt", "messages"])
def test_llama_factory_is_told_all_seven_tags(name):
    info = json.loads(build(name)["dataset_info.json"])
    assert set(info) == {"curator_train", "curator_validation"}
    for split, entry in info.items():
        assert entry["file_name"] == f"{split.removeprefix('curator_')}.jsonl"
        assert set(entry["tags"]) == TAGS
        assert len(set(entry["tags"].values())) == 7


def test_the_tags_are_the_words_that_the_rows_use():
    tags = json.loads(build("sharegpt")["dataset_info.json"])["curator_train"]["tags"]
    assert {tags["system_tag"], tags["user_tag"], tags["assistant_tag"]} == set(SHAREGPT_ROLES.values())


def test_alpaca_columns_are_named_only_in_splits_whose_rows_have_them():
    turns = [{"role": "system", "content": "Be brief."}, *TURNS, *TURNS]
    info = json.loads(build("alpaca", ("system", "history"), turns)["dataset_info.json"])
    shared = {"prompt", "query", "response"}
    assert set(info["curator_train"]["columns"]) == shared | {"system", "history"}
    assert set(info["curator_validation"]["columns"]) == shared


def test_llama_factory_gets_one_message_where_a_preference_has_a_list():
    files = build("preference")
    info = json.loads(files["dataset_info.json"])["curator_train"]
    assert (info["file_name"], info["ranking"], info["formatting"]) == ("llama-factory-train.jsonl", True, "sharegpt")
    assert info["columns"] == {"messages": "prompt", "chosen": "chosen", "rejected": "rejected"}
    lines = files["llama-factory-train.jsonl"].decode().splitlines()
    assert [json.loads(line) for line in lines] == 2 * [{
        "prompt": TURNS[:1], "chosen": TURNS[1], "rejected": {"role": "assistant", "content": "Not\u2028at all."},
    }]  # fmt: skip
    assert files["llama-factory-validation.jsonl"].count(b"\n") == 1
    assert "stage: dpo" in files["TRAINING.md"].decode()


def test_what_a_trainer_would_read_wrongly_gets_no_settings_but_advice():
    call = {"role": "assistant", "content": "", "tool_calls": [{"id": "1", "type": "function", "function": {}}]}
    tools = build("messages", ("tools", "tool_calls"), [TURNS[0], call])
    assert "dataset_info.json" not in tools
    assert b"`--format sharegpt` leaves such rows out" in tools["TRAINING.md"]
    history = build("alpaca", ("history",))
    assert "axolotl.yaml" not in history
    assert b"axolotl: has no place for `history`" in history["TRAINING.md"]


def test_axolotl_keeps_the_system_prompt_of_alpaca_rows():
    kind = yaml.safe_load(build("alpaca", ("system",))["axolotl.yaml"])["datasets"][0]["type"]
    assert (kind["field_system"], kind["system_format"]) == ("system", "{system}\n\n")
    fields = {kind[f"field_{name}"] for name in ("instruction", "input", "output", "system")}
    assert fields == {"instruction", "input", "output", "system"}


@pytest.mark.parametrize(("name", "has_snippet"), [("sharegpt", True), ("alpaca", True), ("messages", False)])
def test_the_note_holds_code_where_trl_has_no_reader(name, has_snippet):
    note = build(name)["TRAINING.md"].decode()
    assert ("def prepare(rows):" in note) is has_snippet
    if has_snippet:
        compile(note.split("```python\n")[1].split("```")[0], name, "exec")


def test_axolotl_reads_sharegpt_by_its_own_keys():
    settings = yaml.safe_load(build("sharegpt")["axolotl.yaml"])
    entry = settings["datasets"][0]
    assert (entry["path"], entry["type"], entry["field_messages"]) == ("train.jsonl", "chat_template", "conversations")
    assert entry["message_property_mappings"] == {"role": "from", "content": "value"}
    assert settings["test_datasets"][0]["path"] == "validation.jsonl"


@pytest.mark.parametrize("name", SHAPES)
def test_the_note_speaks_of_every_trainer(name):
    note = build(name)["TRAINING.md"].decode()
    for word in ("curator train", "TRL", "LLaMA-Factory", "axolotl", "unsloth", "Ollama"):
        assert word in note
