"""What a run does when something is amiss, what its plan says, and what keeps QLoRA alive on a CPU.

The runs themselves are in test_train_chain.py.
"""

from pathlib import Path

import pytest
import torch

from schemas.errors import ConfigError, TrainError
from schemas.recipe import SampleSection
from train import Request, check_training, load_recipe, plan_training, train_model
from train.load import choose_device, find_base, keep_quantised_layers_trainable, load_tokenizer, load_weights
from train.samples import sample_answers
from train.sft import explain_out_of_memory, is_out_of_memory

SHORT = ["train.max_steps=12", "train.save_steps=6", "train.eval_steps=6", "sample.prompts=[\"How deep?\"]",
         "sample.max_new_tokens=4"]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def export(folder):
    import importlib.util

    spec = importlib.util.spec_from_file_location("tiny_model", Path(__file__).with_name("tiny_model.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda kind: module.write_export(folder / f"export-{kind}", kind=kind)


def test_a_run_whose_validation_loss_does_not_fall_stops_early(folder, export, tiny_qwen2):
    settings = ["train.lr=1e-12", "train.patience=2", "train.eval_steps=1", "train.save_steps=1", "train.max_steps=9",
                "sample.prompts=[]"]  # fmt: skip
    request = Request(export("messages"), load_recipe("tiny", settings), folder / "early", base=str(tiny_qwen2))
    assert train_model(request).metrics["steps"] == 3


def test_a_broken_contract_stops_before_anything_is_loaded(folder, write_export, tiny_qwen2):
    rows = [{"messages": [{"role": "human", "content": "How?"}, {"role": "gpt", "content": "So."}]}]
    request = Request(write_export(folder / "bad", {"train": rows}), load_recipe("tiny"), folder / "never",
                      base=str(tiny_qwen2))  # fmt: skip
    with pytest.raises(TrainError, match=r"unknown_role .*train0"):
        train_model(request)
    assert not request.output.exists()
    assert not check_training(request).is_kept


def test_quantised_layers_stay_trainable_after_an_evaluation(tiny_qwen2, monkeypatch):
    """Where a CPU has AVX512-BF16, bitsandbytes would repack the weights at the first evaluation."""
    from bitsandbytes.nn import modules
    from bitsandbytes.nn.modules import Linear4bit

    monkeypatch.setattr(modules, "has_avx512bf16", lambda: True)
    base = find_base(str(tiny_qwen2))
    model = load_weights(base, "qlora", choose_device("fp32"), "auto")
    layers = [module for module in model.modules() if isinstance(module, Linear4bit)]
    assert len(layers) == 14
    assert [layer.support_avx512bf16_for_cpu for layer in layers] == [False] * 14
    ids = torch.tensor([[1, 2, 3, 4]])
    before = [layer.weight.data_ptr() for layer in layers]
    model.eval()
    with torch.no_grad():
        model(ids)
    assert [layer.weight.data_ptr() for layer in layers] == before
    model.train()
    inputs = model.get_input_embeddings()(ids).detach().requires_grad_()
    model(inputs_embeds=inputs, labels=ids).loss.backward()
    assert inputs.grad.abs().max() > 0
    assert keep_quantised_layers_trainable(torch.nn.Linear(2, 2)) == 0


def test_samples_are_the_same_again_and_leave_the_random_state_alone(tiny_qwen2):
    base = find_base(str(tiny_qwen2))
    tokenizer = load_tokenizer(base)
    model = load_weights(base, "lora", choose_device("fp32"), "auto").train()
    settings = SampleSection(prompts=["How deep?", "Why?"], max_new_tokens=6)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = sample_answers(model, tokenizer, settings, {2}, 1)
    assert torch.rand(1) == expected
    assert model.training
    assert first == sample_answers(model, tokenizer, settings, {2}, 1)
    assert first != sample_answers(model, tokenizer, settings, {2}, 2)
    assert [row["prompt"] for row in first] == ["How deep?", "Why?"]


def test_out_of_memory_is_one_line_with_three_settings():
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"))
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(RuntimeError("size mismatch"))
    error = explain_out_of_memory(load_recipe("qwen2.5-3b").recipe)
    assert "batch of 2 x 2048 tokens, qlora" in error.message
    assert error.hint.count("--set") == 4
    for setting in ("train.batch_size=1", "train.accumulation=8", "data.max_length=1024", "lora.r=8"):
        assert setting in error.hint
    assert "train.optimiser=paged_adamw_8bit" in explain_out_of_memory(load_recipe("gpt2").recipe).hint
    assert "train.method=qlora" in explain_out_of_memory(load_recipe("light-lora").recipe).hint


def test_memory_that_runs_out_while_training_is_explained(folder, export, tiny_qwen2):
    request = Request(export("messages"), load_recipe("tiny", SHORT), folder / "memory", base=str(tiny_qwen2))

    def run_out(what, done, total):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    with pytest.raises(TrainError, match=r"out of memory .batch of 2 x 512 tokens, qlora"):
        train_model(request, run_out)


def test_a_plan_needs_no_weights(folder, export):
    request = Request(export("messages"), load_recipe("qwen2.5-3b"), folder / "plan")
    estimate = plan_training(request)
    assert not estimate.is_counted
    assert (estimate.rows, estimate.steps) == (24, 100)
    elsewhere = Request(request.export, request.recipe, request.output, base="nobody/unheard-of")
    with pytest.raises(TrainError) as error:
        plan_training(elsewhere)
    assert "nobody/unheard-of: not on this machine" in error.value.message


def test_a_plan_counts_tokens_where_the_base_is_here(folder, export, tiny_qwen2):
    request = Request(export("messages"), load_recipe("tiny"), folder / "plan", base=str(tiny_qwen2))
    estimate = plan_training(request)
    assert estimate.is_counted
    assert estimate.tokens_per_epoch == check_training(request).tokens["train"]


def test_an_absent_base_says_how_to_fetch_it_and_where_to_put_it(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(TrainError) as error:
        find_base("nobody/unheard-of")
    assert "nobody/unheard-of: not on this machine" in error.value.message
    assert "hf download nobody/unheard-of --local-dir unheard-of" in error.value.hint
    assert "--base PATH/unheard-of" in error.value.hint


@pytest.mark.parametrize(("name", "message"), [("", "no base"), ("./nothing", "no such folder"), ("word", "no hub id")])
def test_a_base_that_is_none_is_refused(name, message):
    with pytest.raises(TrainError, match=message):
        find_base(name)


def test_pickled_weights_are_refused(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(TrainError, match=r"only pytorch_model.bin, which can run code"):
        find_base(str(tmp_path))


def test_the_format_of_the_export_must_be_that_of_the_recipe(folder, export, tiny_gpt2):
    request = Request(export("messages"), load_recipe("gpt2"), folder / "format", base=str(tiny_gpt2))
    with pytest.raises(TrainError, match="format messages, the recipe wants instruction"):
        check_training(request)


def test_unsloth_is_optional_and_says_how_to_get_it(folder, export, tiny_qwen2):
    request = Request(export("messages"), load_recipe("tiny"), folder / "x", base=str(tiny_qwen2), backend="unsloth")
    with pytest.raises(ConfigError, match="the package is not installed") as error:
        train_model(request)
    assert "pip install unsloth" in error.value.hint
