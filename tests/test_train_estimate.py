"""Estimates of memory, steps and time, from sizes alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.estimate import count_weights, estimate_run, list_matrices, pack_first_fit
from train.load import Base, read_architecture
from train.recipe import load_recipe

# What guides to QLoRA ask for, in GB: training and inference.
GUIDE_GB = {
    "qwen2.5-3b": (6, 4),
    "phi-4-mini": (8, 5),
    "llama-3.2-3b": (6, 4),
    "mistral-7b": (12, 8),
    "qwen2.5-7b": (12, 6),
}
BAND = (0.7, 1.25)
"""The guides round to what cards have; an estimate may need this share of what they ask for."""
# Weights as the model cards give them, in millions.
CARDS = {"qwen2.5-3b": 3085.9, "qwen2.5-7b": 7615.6, "llama-3.2-3b": 3212.7, "phi-4-mini": 3836.0, "mistral-7b": 7248.0,
         "gpt2": 124.4, "gpt2-medium": 354.8, "gpt2-large": 774.0, "gpt2-xl": 1557.6}  # fmt: skip


def estimate(name, settings=(), lengths=(400,) * 2000):
    recipe = load_recipe(name, settings).recipe
    return estimate_run(recipe, recipe.model.architecture, lengths, is_counted=False)


@pytest.mark.parametrize("name", sorted(CARDS))
def test_the_weights_are_counted_as_the_model_card_does(name):
    assert estimate(name).parameters / 1e6 == pytest.approx(CARDS[name], abs=0.1)


@pytest.mark.parametrize("name", sorted(GUIDE_GB))
def test_memory_lies_in_the_band_of_the_guides(name):
    found = estimate(name)
    shares = [
        memory.total / 1e9 / guide
        for memory, guide in zip((found.training, found.inference), GUIDE_GB[name], strict=True)
    ]
    assert BAND[0] <= min(shares)
    assert max(shares) <= BAND[1]


@pytest.mark.parametrize("fixture", ["tiny_qwen2", "tiny_llama", "tiny_gpt2"])
def test_a_real_model_has_the_weights_that_are_counted(fixture, request):
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    folder = request.getfixturevalue(fixture)
    model = AutoModelForCausalLM.from_pretrained(folder)
    recipe = load_recipe("tiny").recipe
    sizes = count_weights(read_architecture(Base("tiny", folder, "1")), recipe)
    assert sizes.total == model.num_parameters()
    adapted = get_peft_model(model, LoraConfig(r=recipe.lora.r, target_modules="all-linear", task_type="CAUSAL_LM"))
    trained = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    assert sizes.adapter * recipe.lora.r == trained


def test_the_adapter_counts_only_its_targets():
    recipe = load_recipe("light-lora").recipe
    matrices = list_matrices(recipe.model.architecture)
    assert estimate("light-lora").trained_parameters == 36 * 16 * (sum(matrices["q_proj"]) + sum(matrices["v_proj"]))


def test_what_takes_less_memory_is_estimated_so():
    plain = estimate("qwen2.5-3b").training
    assert estimate("qwen2.5-3b", ["train.batch_size=1"]).training.activations < plain.activations
    assert estimate("qwen2.5-3b", ["data.max_length=1024"]).training.activations < plain.activations
    assert estimate("qwen2.5-3b", ["train.gradient_checkpointing=false"]).training.activations > 5 * plain.activations
    assert estimate("qwen2.5-3b", ["train.method=lora"]).training.weights > 2.5 * plain.weights
    assert (
        estimate("gpt2", ["train.optimiser=paged_adamw_8bit"]).training.optimiser * 4
        == estimate("gpt2").training.optimiser
    )


def test_steps_and_tokens_follow_rows_packing_and_epochs():
    packed = estimate("qwen2.5-3b", ["train.max_steps=0", "train.epochs=2"], [512] * 320)
    assert packed.steps == 20  # 4 rows of 512 fill a sequence of 2048, 8 sequences a step: 10 steps an epoch
    assert packed.tokens == 2 * 320 * 512
    loose = estimate("qwen2.5-3b", ["train.max_steps=0", "train.epochs=2", "data.packing=off"], [512] * 320)
    assert (loose.steps, loose.tokens) == (80, packed.tokens)
    assert estimate("qwen2.5-3b").steps == 100


def test_time_is_operations_over_what_the_card_reaches():
    slow, fast = (estimate("qwen2.5-3b", [f"hardware.teraflops={speed}"]).seconds for speed in (10, 40))
    assert slow == pytest.approx(4 * fast)


@given(st.lists(st.integers(1, 64), max_size=60))
def test_packing_holds_every_row_and_wastes_less_than_half(lengths):
    used = pack_first_fit(lengths, 64)
    assert used * 64 >= sum(lengths)
    assert used <= len(lengths)
    assert used <= 2 * sum(lengths) / 64 + 1


def test_packing_is_what_trl_makes_of_it():
    import datasets
    from trl import pack_dataset

    lengths = [300, 200, 100, 50, 450, 12, 256, 256, 500, 1, 77, 333]
    rows = datasets.Dataset.from_dict({"input_ids": [[1] * n for n in lengths], "labels": [[1] * n for n in lengths]})
    assert pack_first_fit(lengths, 512) == len(pack_dataset(rows, 512, "bfd"))
