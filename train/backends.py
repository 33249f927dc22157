"""Who puts the base and its adapter together: trl's way (transformers, peft, bitsandbytes) or unsloth's."""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from schemas.errors import ConfigError
from schemas.recipe import Recipe
from train.load import Base, Device, load_weights, torch_type

HINT = "unsloth pins older transformers and trl: python -m venv unsloth-env, pip install unsloth corpus-curator there"


@dataclass(frozen=True)
class Prepared:
    """A model ready for trl's trainer.

    Attributes:
        model: The base, with an adapter already in it where `adapter` is None and the method is not full.
        adapter: Configuration of the adapter that the trainer adds, or None.
    """

    model: Any
    adapter: Any | None


class Backend(Protocol):
    """Prepares a model; everything after is the same for all backends."""

    name: str

    def prepare(self, base: Base, recipe: Recipe, device: Device) -> Prepared:
        """Loads the base and says which adapter it gets."""


class TrlBackend:
    """Transformers, peft and bitsandbytes."""

    name = "trl"

    def prepare(self, base: Base, recipe: Recipe, device: Device) -> Prepared:
        """Loads the base in the method's number format."""
        model = load_weights(base, recipe.train.method, device, recipe.train.attention)
        if recipe.train.method == "full":
            return Prepared(model, None)
        from peft import LoraConfig

        adapter = LoraConfig(
            r=recipe.lora.r,
            lora_alpha=recipe.lora.alpha,
            lora_dropout=recipe.lora.dropout,
            target_modules=recipe.lora.targets,
            bias="none",
            task_type="CAUSAL_LM",
        )
        return Prepared(model, adapter)


class UnslothBackend:
    """Unsloth's patched kernels; an optional package in an environment of its own."""

    name = "unsloth"

    def prepare(self, base: Base, recipe: Recipe, device: Device) -> Prepared:
        """Loads base and adapter through `FastLanguageModel`."""
        FastLanguageModel = import_module("unsloth").FastLanguageModel  # noqa: N806 - unsloth's own name
        method = recipe.train.method
        model, _ = FastLanguageModel.from_pretrained(
            model_name=str(base.path),
            max_seq_length=recipe.data.max_length,
            dtype=torch_type(device.precision),
            load_in_4bit=method == "qlora",
            full_finetuning=method == "full",
            trust_remote_code=False,
        )
        if method == "full":
            return Prepared(model, None)
        targets = recipe.lora.targets
        model = FastLanguageModel.get_peft_model(
            model,
            r=recipe.lora.r,
            lora_alpha=recipe.lora.alpha,
            lora_dropout=recipe.lora.dropout,
            target_modules=list_linear(model) if targets == "all-linear" else targets,
            bias="none",
            use_gradient_checkpointing="unsloth" if recipe.train.gradient_checkpointing else False,
            random_state=recipe.train.seed,
        )
        return Prepared(model, None)


def find_backend(name: str) -> Backend:
    """Gives a backend by name.

    Raises:
        ConfigError: It is unknown or not installed.
    """
    if name == "trl":
        return TrlBackend()
    if name != "unsloth":
        raise ConfigError(f"--backend {name!r}: unknown", "expected trl or unsloth")
    if find_spec("unsloth") is None:
        raise ConfigError("--backend unsloth: the package is not installed", HINT)
    return UnslothBackend()


def list_linear(model: Any) -> list[str]:
    """Gives the names of all linear layers but the output head, as peft's `all-linear` means them."""
    import torch

    head = model.get_output_embeddings()
    named = model.named_modules()
    return sorted(
        {name.split(".")[-1] for name, part in named if isinstance(part, torch.nn.Linear) and part is not head}
    )
