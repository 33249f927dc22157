"""How each architecture is laid out in GGUF: its keys and where every tensor goes."""

from collections.abc import Callable
from typing import Any

from schemas.errors import DeployError
from train.gguf.architectures.gpt2 import describe_gpt2
from train.gguf.architectures.layout import Layout, Tensor
from train.gguf.architectures.llama import describe_llama
from train.gguf.architectures.qwen import describe_qwen2, describe_qwen3
from train.gguf.rope import CHECKOUT_HINT

__all__ = ["ARCHITECTURES", "Layout", "Tensor", "describe_architecture"]

ARCHITECTURES: dict[str, Callable[[dict[str, Any]], Layout]] = {
    "Qwen2ForCausalLM": describe_qwen2,
    "Qwen3ForCausalLM": describe_qwen3,
    "LlamaForCausalLM": describe_llama,
    "MistralForCausalLM": describe_llama,
    "GPT2LMHeadModel": describe_gpt2,
}


def describe_architecture(config: dict[str, Any]) -> Layout:
    """Gives the layout of a model.

    Raises:
        DeployError: The architecture is unknown, a setting is absent, or it has one that the layout does not cover.
    """
    names = config.get("architectures") or [str(config.get("model_type") or "none named")]
    if names[0] not in ARCHITECTURES:
        raise DeployError(f"architecture {names[0]}: expected one of {', '.join(ARCHITECTURES)}", CHECKOUT_HINT)
    try:
        return ARCHITECTURES[names[0]](config)
    except KeyError as error:
        raise DeployError(f"config.json: {error.args[0]} is missing", "copy the model's own config.json") from error
