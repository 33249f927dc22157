"""Merging an adapter changes no logit, and takes the unquantised base it belongs to."""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from schemas.errors import DeployError
from train.local_model import load_local_model
from train.merge import choose_precision, merge_adapter
from train.parity import make_frozen_prompts

_spec = importlib.util.spec_from_file_location("tiny_adapter", Path(__file__).with_name("tiny_adapter.py"))
tiny_adapter = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tiny_adapter)

PROMPTS = make_frozen_prompts("You are a coach.")


@pytest.fixture(scope="module")
def adapter(tiny_qwen2, tmp_path_factory):
    return tiny_adapter.make_adapter(tiny_qwen2, tmp_path_factory.mktemp("adapter") / "a")


@pytest.fixture
def copied(adapter, tmp_path):
    return shutil.copytree(adapter, tmp_path / "adapter")


def change_config(adapter, **changes):
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_the_merged_model_has_the_adapters_logits(adapter, tiny_qwen2, tmp_path):
    report = merge_adapter(adapter, tmp_path / "merged", PROMPTS)
    assert report.is_faithful
    assert (report.max_difference < 1e-4, report.precision, report.base) == (True, "float32", str(tiny_qwen2))
    ids = [5, 60, 700]
    apart, merged, base = (load_local_model(path) for path in (adapter, tmp_path / "merged", tiny_qwen2))
    assert abs(apart.read_logits(ids) - merged.read_logits(ids)).max() < 1e-4
    assert abs(base.read_logits(ids) - merged.read_logits(ids)).max() > 0.1
    names = {path.name for path in (tmp_path / "merged").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"} <= names
    assert "quantization_config" not in json.loads((tmp_path / "merged" / "config.json").read_text())


def test_a_base_given_by_hand_takes_the_place_of_the_named_one(copied, tiny_qwen2, tmp_path):
    change_config(copied, base_model_name_or_path="somebody/model-that-is-not-here")
    assert merge_adapter(copied, tmp_path / "merged", PROMPTS[:1], base=str(tiny_qwen2)).is_faithful


def test_a_base_that_is_not_there_says_how_to_fetch_it(copied, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    change_config(copied, base_model_name_or_path=str(tmp_path / "gone"))
    for name in ("tokenizer_config.json", "tokenizer.json"):
        (copied / name).unlink()
    with pytest.raises(DeployError, match="gone") as error:
        merge_adapter(copied, tmp_path / "merged", PROMPTS[:1])
    assert "--base PATH" in error.value.hint
    assert not (tmp_path / "merged").exists()


def test_the_adapter_of_another_base_does_not_load(adapter, tiny_llama, tmp_path):
    with pytest.raises(DeployError, match="tokens differ from those the adapter") as error:
        merge_adapter(adapter, tmp_path / "merged", PROMPTS[:1], base=str(tiny_llama))
    assert "\n" not in error.value.message


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"peft_type": "IA3"}, "kind IA3: expected LORA"), ({"base_model_name_or_path": None}, "names no base")],
)
def test_adapters_of_another_kind_are_refused(changes, message, copied, tmp_path):
    change_config(copied, **changes)
    with pytest.raises(DeployError, match=message):
        merge_adapter(copied, tmp_path / "merged", PROMPTS[:1])


def test_pickled_adapters_are_refused(copied, tmp_path):
    (copied / "adapter_model.safetensors").rename(copied / "adapter_model.bin")
    with pytest.raises(DeployError, match=r"no adapter_model\.safetensors"):
        merge_adapter(copied, tmp_path / "merged", PROMPTS[:1])


def test_a_folder_without_adapter_is_named(tiny_qwen2, tmp_path):
    with pytest.raises(DeployError, match=r"no adapter_config\.json"):
        merge_adapter(tiny_qwen2, tmp_path / "merged", PROMPTS[:1])


def test_a_base_too_large_for_float32_is_merged_as_it_is(tiny_qwen2, tmp_path, monkeypatch):
    folder = shutil.copytree(tiny_qwen2, tmp_path / "base")
    config = json.loads((folder / "config.json").read_text()) | {"dtype": "bfloat16"}
    (folder / "config.json").write_text(json.dumps(config))
    assert choose_precision(folder) == "float32"
    monkeypatch.setattr("os.sysconf", lambda name: {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 100}[name])
    assert choose_precision(folder) == "bfloat16"
