"""Llama and Mistral, and the parts that Qwen shares with them."""

from functools import partial
from typing import TYPE_CHECKING, Any

from train.gguf.architectures.layout import Layout, Tensor, Value, require
from train.gguf.rope import describe_rope

if TYPE_CHECKING:
    from train.gguf.architectures.layout import F32

# GGUF's names of a block's tensors, by their names in the model folder.
BLOCK = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def describe_llama(config: dict[str, Any]) -> Layout:
    """Gives the layout of Llama and Mistral; biases go along where a model has them."""
    keys = describe_decoder(config) | {"vocab_size": int(config["vocab_size"])}
    heads, key_heads = count_heads(config)
    tensors = []
    for tensor in list_decoder_tensors(config, has_bias=True):
        rows = {"attn_q": heads, "attn_k": key_heads}.get(tensor.target.split(".")[-2])
        change = partial(permute_rope, num_heads=rows) if rows else None
        tensors.append(Tensor(tensor.source, tensor.target, change, is_optional=tensor.is_optional))
    return make_decoder("llama", config, keys, tensors)


def describe_decoder(config: dict[str, Any]) -> dict[str, Value]:
    """Gives the keys that all these decoders have."""
    require(config, "hidden_act", "silu")
    heads, key_heads = count_heads(config)
    head_size = find_head_size(config)
    context = int(config["max_position_embeddings"])
    # llama.cpp has no sliding window in these layouts: within the window's length full attention is the same.
    window = config.get("sliding_window") if config.get("use_sliding_window", True) else None
    return {
        "block_count": int(config["num_hidden_layers"]),
        "context_length": min(context, int(window)) if window else context,
        "embedding_length": int(config["hidden_size"]),
        "feed_forward_length": int(config["intermediate_size"]),
        "attention.head_count": heads,
        "attention.head_count_kv": key_heads,
        "attention.key_length": head_size,
        "attention.value_length": head_size,
        "attention.layer_norm_rms_epsilon": float(config["rms_norm_eps"]),
    } | describe_rope(config, head_size)


def list_decoder_tensors(config: dict[str, Any], *, has_bias: bool) -> list[Tensor]:
    """Gives the tensors that all these decoders have; `has_bias` lets projections have an (optional) bias."""
    tensors = [
        Tensor("model.embed_tokens.weight", "token_embd.weight"),
        Tensor("model.norm.weight", "output_norm.weight"),
    ]
    if not config.get("tie_word_embeddings", False):
        tensors.append(Tensor("lm_head.weight", "output.weight"))
    for layer in range(int(config["num_hidden_layers"])):
        for source, target in BLOCK.items():
            tensors.append(Tensor(f"model.layers.{layer}.{source}.weight", f"blk.{layer}.{target}.weight"))
            if has_bias and source.endswith("_proj"):
                tensors.append(
                    Tensor(f"model.layers.{layer}.{source}.bias", f"blk.{layer}.{target}.bias", is_optional=True)
                )
    return tensors


def make_decoder(name: str, config: dict[str, Any], keys: dict[str, Value], tensors: list[Tensor]) -> Layout:
    """Gives the layout of such a decoder."""
    return Layout(
        name, keys, tensors, int(config["num_hidden_layers"]), ignored=("rotary_emb.inv_freq",),
        head_size=find_head_size(config), is_tied=bool(config.get("tie_word_embeddings", False)),
    )  # fmt: skip


def count_heads(config: dict[str, Any]) -> tuple[int, int]:
    """Gives the attention heads and the key-value heads."""
    heads = int(config["num_attention_heads"])
    return heads, int(config.get("num_key_value_heads") or heads)


def find_head_size(config: dict[str, Any]) -> int:
    """Gives the size of one attention head."""
    return int(config.get("head_dim") or int(config["hidden_size"]) // int(config["num_attention_heads"]))


def permute_rope(values: "F32", num_heads: int) -> "F32":
    """Reorders the rows of a query or key projection.

    transformers rotates the halves of a head against each other, llama.cpp neighbouring rows: row i of the first half
    and row i of the second become rows 2i and 2i + 1.
    """
    half = values.shape[0] // num_heads // 2
    return values.reshape(num_heads, 2, half, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)
