"""What other trainers find beside the data."""

import json

import pytest
import yaml

from curator.export.handoff import HANDOFF_NAMES, build_handoff
from curator.export.shapes import SHAPES, SHAREGPT_ROLES

TAGS = {"role_tag", "content_tag", "user_tag", "assistant_tag", "observation_tag", "function_tag", "system_tag"}
PATHS = {"train": "train.jsonl", "validation": "validation.jsonl"}
MEMBERS = [("a", "train", "coach"), ("b", "train", "planner"), ("c", "validation", "coach")]


def build(name, optional_keys=()):
    files = build_handoff(name, PATHS, MEMBERS, optional_keys)
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


@pytest.mark.parametrize(
    ("optional", "columns"),
    [((), {"prompt", "query", "response"}),
     (("system", "history"), {"prompt", "query", "response", "system", "history"})],
)  # fmt: skip
def test_alpaca_columns_are_named_only_where_rows_have_them(optional, columns):
    assert set(json.loads(build("alpaca", optional)["dataset_info.json"])["curator_train"]["columns"]) == columns


def test_preferences_have_no_settings_that_would_not_work():
    assert "dataset_info.json" not in build("preference")
    assert b"one message where a list stands" in build("preference")["TRAINING.md"]


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
