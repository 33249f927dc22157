"""Recipes: every value is typed, has one documentation, and knows where it came from."""

import pytest

from schemas.errors import ConfigError
from train.recipe import describe_recipe, list_keys, list_recipes, load_recipe

QLORA = ("qwen2.5-3b", "qwen2.5-7b", "llama-3.2-3b", "phi-4-mini", "mistral-7b")
GPT2 = ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")


def test_the_promised_recipes_are_there():
    assert set(list_recipes()) == {*QLORA, *GPT2, "light-lora", "tiny"}


@pytest.mark.parametrize("name", QLORA)
def test_a_qlora_recipe_holds_the_quick_defaults(name):
    recipe = load_recipe(name).recipe
    assert recipe.train.method == "qlora"
    assert (recipe.lora.r, recipe.lora.alpha, recipe.lora.dropout, recipe.lora.targets) == (16, 16, 0, "all-linear")
    train = recipe.train
    assert (train.lr, train.batch_size, train.accumulation, train.optimiser) == (2e-4, 2, 4, "paged_adamw_8bit")
    assert (train.max_steps, train.warmup_steps, train.seed, train.precision) == (100, 5, 3407, "auto")
    assert train.gradient_checkpointing
    assert recipe.data.max_length == 2048
    assert recipe.data.loss == "assistant"


@pytest.mark.parametrize("name", GPT2)
def test_a_gpt2_recipe_trains_all_weights_on_all_tokens_of_instruction_text(name):
    recipe = load_recipe(name).recipe
    assert (recipe.data.format, recipe.data.loss, recipe.data.max_length) == ("instruction", "all", 1024)
    train = recipe.train
    assert (train.method, train.scheduler, train.lr, train.epochs, train.batch_size) == ("full", "constant", 5e-5, 2, 8)
    assert (train.beta1, train.beta2, train.weight_decay, train.eval_steps, train.precision) == (
        0.9, 0.999, 0.1, 10, "fp16",
    )  # fmt: skip


def test_the_light_recipe_touches_queries_and_values_only():
    recipe = load_recipe("light-lora").recipe
    assert recipe.train.method == "lora"
    assert (recipe.lora.r, recipe.lora.alpha, recipe.lora.dropout) == (16, 32, 0.05)
    assert recipe.lora.targets == ["q_proj", "v_proj"]
    assert (recipe.train.lr, recipe.train.epochs, recipe.data.validation_ratio) == (2e-5, 3, 0.1)


def test_every_value_knows_where_it_came_from():
    found = load_recipe("qwen2.5-3b", ["train.lr=1e-4"], {"sample": {"prompts": ["How deep?"]}})
    assert found.origins["train.lr"] == "--set"
    assert found.origins["sample.prompts"] == "pack"
    assert found.origins["train.batch_size"] == "recipe"
    assert found.origins["train.beta1"] == "default"
    assert set(found.origins) == set(describe_recipe(found.recipe))


def test_a_flag_goes_before_the_pack_and_the_pack_before_the_recipe(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('title = "Mine"\n[train]\nlr = 1e-3\nepochs = 2\nbatch_size = 3\n')
    found = load_recipe(str(path), ["train.lr=1e-5"], {"train": {"lr": 1e-4, "epochs": 5}})
    assert (found.name, found.recipe.train.lr, found.recipe.train.epochs) == ("mine", 1e-5, 5)
    assert [found.origins[f"train.{key}"] for key in ("lr", "epochs", "batch_size")] == ["--set", "pack", "recipe"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [("train.lr=1e-4", 1e-4), ("train.max_steps=7", 7), ("train.gradient_checkpointing=false", False),
     ("lora.targets=[\"q_proj\"]", ["q_proj"]), ("model.base=me/mine", "me/mine"), ("title=A run", "A run")],
)  # fmt: skip
def test_a_setting_takes_the_type_of_its_field(setting, value):
    key = setting.split("=")[0]
    assert describe_recipe(load_recipe("tiny", [setting]).recipe)[key][0] == value


@pytest.mark.parametrize(
    ("setting", "message", "hint"),
    [("train.lr=abc", "--set: train.lr: Input should be a valid number", "--dry-run"),
     ("train.lr=2", "--set: train.lr: Input should be less than 1, found 2", "--dry-run"),
     ("train.lrr=1", "--set train.lrr: no such setting", "did you mean train.lr?"),
     ("alpha=3", "--set alpha: no such setting", "did you mean lora.alpha?"),
     ("train.lr", "--set 'train.lr': expected key=value", "train.lr=1e-4"),
     ("lora.targets=5", "--set: lora.targets: Input should be", "--dry-run")],
)  # fmt: skip
def test_a_wrong_setting_is_one_line_with_a_hint(setting, message, hint):
    with pytest.raises(ConfigError) as error:
        load_recipe("qwen2.5-3b", [setting])
    assert error.value.message.startswith(message)
    assert "\n" not in error.value.message
    assert hint in error.value.hint


def test_a_length_beyond_the_context_is_refused():
    with pytest.raises(ConfigError, match=r"data.max_length 2048 is more than the base's context 1024"):
        load_recipe("gpt2", ["data.max_length=2048"])


def test_an_unknown_recipe_is_named_with_its_neighbour():
    with pytest.raises(ConfigError) as error:
        load_recipe("qwen2.5-3")
    assert "did you mean qwen2.5-3b?" in error.value.hint


@pytest.mark.parametrize(
    ("text", "message"), [("[train\n", "recipe"), ('title = "x"\n[trian]\nlr = 1\n', "trian: Extra inputs")]
)
def test_a_broken_recipe_file_is_named(tmp_path, text, message):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_recipe(str(path))
    assert str(path) in error.value.message
    assert message in error.value.message


def test_every_setting_is_documented():
    found = describe_recipe(load_recipe("qwen2.5-3b").recipe)
    assert set(found) == set(list_keys())
    assert {key for key, (_, meaning) in found.items() if not meaning} == set()


def test_the_hash_changes_with_any_value():
    first, second = load_recipe("tiny"), load_recipe("tiny", ["lora.alpha=33"])
    assert first.sha256 == load_recipe("tiny").sha256
    assert first.sha256 != second.sha256
