"""Qwen2 (and 2.5) and Qwen3: Llama's blocks in transformers' own row order."""

from typing import Any

from train.gguf.architectures.layout import Layout, Tensor, require
from train.gguf.architectures.llama import describe_decoder, list_decoder_tensors, make_decoder


def describe_qwen2(config: dict[str, Any]) -> Layout:
    """Gives the layout of Qwen2 and Qwen2.5: biases at query, key and value."""
    require(config, "use_sliding_window", False)
    return make_decoder("qwen2", config, describe_decoder(config), list_decoder_tensors(config, has_bias=True))


def describe_qwen3(config: dict[str, Any]) -> Layout:
    """Gives the layout of Qwen3: no biases, a norm on each query and key head."""
    require(config, "use_sliding_window", False)
    require(config, "attention_bias", False)
    norms = [
        Tensor(f"model.layers.{layer}.self_attn.{part}_norm.weight", f"blk.{layer}.attn_{part}_norm.weight")
        for layer in range(int(config["num_hidden_layers"]))
        for part in "qk"
    ]
    tensors = [*list_decoder_tensors(config, has_bias=False), *norms]
    return make_decoder("qwen3", config, describe_decoder(config), tensors)
