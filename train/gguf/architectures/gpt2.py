"""GPT-2: learnt positions, fused query-key-value, and weights stored the other way round."""

from typing import Any

from train.gguf.architectures.layout import Layout, Tensor, require

BLOCK = {
    "ln_1": "attn_norm",
    "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output",
    "ln_2": "ffn_norm",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
}


def describe_gpt2(config: dict[str, Any]) -> Layout:
    """Gives the layout of GPT-2 in all its sizes."""
    require(config, "activation_function", "gelu_new")
    require(config, "scale_attn_weights", True)
    require(config, "scale_attn_by_inverse_layer_idx", False)
    size = int(config["n_embd"])
    is_tied = bool(config.get("tie_word_embeddings", True))
    return Layout(
        "gpt2",
        {
            "block_count": int(config["n_layer"]),
            "context_length": int(config.get("n_ctx") or config["n_positions"]),
            "embedding_length": size,
            "feed_forward_length": int(config.get("n_inner") or 4 * size),
            "attention.head_count": int(config["n_head"]),
            "attention.layer_norm_epsilon": float(config["layer_norm_epsilon"]),
        },
        _list_tensors(config, is_tied=is_tied),
        int(config["n_layer"]),
        ignored=(".attn.bias", ".attn.masked_bias"),
        is_tied=is_tied,
        prefix="transformer.",
        embedding="wte.weight",
    )


def _list_tensors(config: dict[str, Any], *, is_tied: bool) -> list[Tensor]:
    tensors = [
        Tensor("wte.weight", "token_embd.weight"),
        Tensor("wpe.weight", "position_embd.weight", is_exact=True),
        Tensor("ln_f.weight", "output_norm.weight"),
        Tensor("ln_f.bias", "output_norm.bias"),
    ]
    if not is_tied:
        tensors.append(Tensor("lm_head.weight", "output.weight"))
    for layer in range(int(config["n_layer"])):
        for source, target in BLOCK.items():
            tensors += [
                Tensor(f"h.{layer}.{source}.weight", f"blk.{layer}.{target}.weight", is_transposed=".c_" in source),
                Tensor(f"h.{layer}.{source}.bias", f"blk.{layer}.{target}.bias"),
            ]
    return tensors
