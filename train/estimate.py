"""What a run will take in memory, steps, tokens and time, from sizes alone; the weights need not be there.

Bytes of training, by part:

- weights: NF4 takes 4 bits a weight of a linear layer, and double quantisation 8 bits per 64 weights and 32 bits per
  64 * 256 (QLoRA, Dettmers et al. 2023, section 3). Embeddings, output head and norms stay in 16 bits. A full
  fine-tune keeps 32-bit weights and, under mixed precision, a 16-bit copy that autocast makes.
- adapter, gradients, optimiser: LoRA adds r * (in + out) 32-bit weights a linear layer. Adam keeps two moments, of 1
  byte each in its 8-bit form, of 4 otherwise.
- activations: a token takes (6 hidden + 2 qkv + 5 intermediate) values a layer. With checkpointing only the hidden
  state of each layer stays, and one layer at a time is computed again with its gradients, and dequantised.
- logits: the fused head of trl scores trained positions in tiles of 4096 tokens by 32768 words, in 32 bits; two live
  at a time.
- overhead: 0.6 GB of CUDA context and kernels, and 10 % lost to fragmentation.

Time is operations over what the card reaches (`hardware.teraflops`): 2 a weight and token forward, 2 for the gradients
of the activations, 2 for those of the weights if they are trained, 2 for computing again under checkpointing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.recipe import Architecture, Recipe
from schemas.training import Estimate, Memory

NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)
TRAINED_BYTES = 4
CONTEXT_BYTES = 600_000_000
FRAGMENTATION = 0.10
TILE_TOKENS, TILE_WORDS = 4096, 32768
OPTIMISER_BYTES = {"adamw_torch": 8, "adamw_8bit": 2, "paged_adamw_8bit": 2}


@dataclass(frozen=True)
class Sizes:
    """Weights of a base, counted.

    Attributes:
        linear: Weights of the layers' matrices.
        embedding: Weights of embeddings and output head.
        head: Weights of the output head, which is computed for every token even if it is tied.
        other: Norms and biases.
        adapter: Weights of a LoRA adapter of rank 1 on all chosen modules.
    """

    linear: int
    embedding: int
    head: int
    other: int
    adapter: int

    @property
    def total(self) -> int:
        """All weights of the base."""
        return self.linear + self.embedding + self.other


def estimate_run(
    recipe: Recipe, shape: Architecture, lengths: Sequence[int], *, is_counted: bool, is_mixed: bool = True
) -> Estimate:
    """Estimates a run.

    Args:
        recipe: The settings.
        shape: The base's sizes.
        lengths: Tokens of each training row, not yet cut to the longest length.
        is_counted: Whether a tokenizer counted them.
        is_mixed: False when everything is computed in 32 bits.
    """
    sizes = count_weights(shape, recipe)
    train = recipe.train
    tokens = [min(length, recipe.data.max_length) for length in lengths]
    per_epoch = sum(tokens)
    per_step = train.batch_size * train.accumulation * max(1, recipe.hardware.gpus)
    sequences = pack_first_fit(tokens, recipe.data.max_length) if recipe.data.packing == "bfd" else len(tokens)
    steps = train.max_steps or math.ceil(math.ceil(sequences / per_step) * train.epochs)
    seen = round(steps * per_step * per_epoch / max(1, sequences))
    operations = seen * count_operations(sizes, recipe)
    return Estimate(
        parameters=sizes.total,
        trained_parameters=_count_trained(sizes, recipe),
        training=estimate_training(recipe, shape, sizes, is_mixed=is_mixed),
        inference=estimate_inference(recipe, shape, sizes),
        rows=len(lengths),
        tokens_per_epoch=per_epoch,
        steps=steps,
        tokens=seen,
        seconds=operations / (recipe.hardware.teraflops * 1e12 * max(1, recipe.hardware.gpus)),
        is_counted=is_counted,
    )


def count_weights(shape: Architecture, recipe: Recipe) -> Sizes:
    """Counts the weights of a base and of a rank of its adapter."""
    matrices = list_matrices(shape)
    wanted = recipe.lora.targets
    chosen = [size for name, size in matrices.items() if wanted == "all-linear" or name.split(".")[-1] in wanted]
    one = shape.vocabulary * shape.hidden
    positions = shape.context * shape.hidden if shape.kind == "gpt2" else 0
    return Sizes(
        linear=shape.layers * sum(into * out for into, out in matrices.values()),
        embedding=one * (1 if shape.is_tied else 2) + positions,
        head=one,
        other=shape.layers * _count_small(shape, matrices) + shape.hidden * (2 if shape.kind == "gpt2" else 1),
        adapter=shape.layers * sum(into + out for into, out in chosen),
    )


def list_matrices(shape: Architecture) -> dict[str, tuple[int, int]]:
    """Gives the linear layers of one block as (in, out), by the names that LoRA targets use."""
    wide, middle = shape.hidden, shape.intermediate
    head = shape.head_width or wide // shape.heads
    query, key = shape.heads * head, shape.kv_heads * head
    if shape.kind == "gpt2":
        return {"attn.c_attn": (wide, 3 * wide), "attn.c_proj": (wide, wide),
                "mlp.c_fc": (wide, middle), "mlp.c_proj": (middle, wide)}  # fmt: skip
    if shape.kind == "phi3":
        return {"qkv_proj": (wide, query + 2 * key), "o_proj": (query, wide),
                "gate_up_proj": (wide, 2 * middle), "down_proj": (middle, wide)}  # fmt: skip
    return {"q_proj": (wide, query), "k_proj": (wide, key), "v_proj": (wide, key), "o_proj": (query, wide),
            "gate_proj": (wide, middle), "up_proj": (wide, middle), "down_proj": (middle, wide)}  # fmt: skip


def count_operations(sizes: Sizes, recipe: Recipe) -> int:
    """Gives the operations of a training token."""
    passes = 2 + (1 if recipe.train.method == "full" else 0) + (1 if recipe.train.gradient_checkpointing else 0)
    return 2 * passes * (sizes.linear + sizes.head)


def estimate_training(recipe: Recipe, shape: Architecture, sizes: Sizes, *, is_mixed: bool = True) -> Memory:
    """Gives the memory of a training step, in bytes (the formula stands at the head of this module)."""
    method = recipe.train.method
    half = 2 if is_mixed else 4
    tokens = recipe.train.batch_size * recipe.data.max_length
    trained = _count_trained(sizes, recipe)
    return _with_overhead(
        weights=_weight_bytes(sizes, method, half),
        adapter=0 if method == "full" else trained * TRAINED_BYTES,
        gradients=trained * TRAINED_BYTES,
        optimiser=trained * OPTIMISER_BYTES[recipe.train.optimiser],
        activations=_activation_bytes(recipe, shape, half),
        logits=2 * 4 * min(TILE_TOKENS, tokens) * min(TILE_WORDS, shape.vocabulary),
    )


def estimate_inference(recipe: Recipe, shape: Architecture, sizes: Sizes) -> Memory:
    """Gives the memory of one conversation of the longest length with the trained model, in bytes."""
    head = shape.head_width or shape.hidden // shape.heads
    cache = 2 * shape.layers * shape.kv_heads * head * recipe.data.max_length * 2
    method = recipe.train.method
    weights = 2 * sizes.total if method == "full" else _weight_bytes(sizes, method, 2)
    trained = _count_trained(sizes, recipe)
    prefill = recipe.data.max_length * (shape.hidden * 6 + shape.intermediate * 2) * 2
    return _with_overhead(
        weights=weights, adapter=0 if method == "full" else trained * 2, cache=cache, activations=prefill,
        logits=shape.vocabulary * 4,
    )  # fmt: skip


def pack_first_fit(lengths: Sequence[int], capacity: int) -> int:
    """Gives how many sequences hold all rows: the largest first, each into the fullest sequence it fits.

    Rooms are counted by size, so that a million rows take as long as their lengths differ (best-fit decreasing).
    """
    rooms = [0] * (capacity + 1)
    used = 0
    for length in sorted(lengths, reverse=True):
        room = next((size for size in range(length, capacity) if rooms[size]), None)
        if room is None:
            used, room = used + 1, capacity
        else:
            rooms[room] -= 1
        rooms[room - length] += 1
    return used


def _count_trained(sizes: Sizes, recipe: Recipe) -> int:
    return sizes.total if recipe.train.method == "full" else sizes.adapter * recipe.lora.r


def _weight_bytes(sizes: Sizes, method: str, half: int) -> int:
    if method == "qlora":
        return round(sizes.linear * NF4_BYTES) + half * (sizes.embedding + sizes.other)
    if method == "lora":
        return half * sizes.total
    return sizes.total * (4 + (2 if half == 2 else 0))


def _activation_bytes(recipe: Recipe, shape: Architecture, half: int) -> int:
    tokens = recipe.train.batch_size * recipe.data.max_length
    matrices = list_matrices(shape)
    qkv = sum(out for name, (_, out) in matrices.items() if name.split(".")[-1] in
              ("q_proj", "k_proj", "v_proj", "qkv_proj", "c_attn"))  # fmt: skip
    per_layer = tokens * half * (6 * shape.hidden + 2 * qkv + 5 * shape.intermediate)
    if not recipe.train.gradient_checkpointing:
        return shape.layers * per_layer
    dequantised = max(into * out for into, out in matrices.values()) * half if recipe.train.method == "qlora" else 0
    return shape.layers * tokens * shape.hidden * half + 2 * per_layer + dequantised


def _count_small(shape: Architecture, matrices: dict[str, tuple[int, int]]) -> int:
    """Two norms a block; GPT-2 has biases everywhere, Qwen2 on queries, keys and values."""
    if shape.kind == "gpt2":
        return 4 * shape.hidden + sum(out for _, out in matrices.values())
    biased = ("q_proj", "k_proj", "v_proj") if shape.kind == "qwen2" else ()
    return 2 * shape.hidden + sum(matrices[name][1] for name in biased)


def _with_overhead(**parts: int) -> Memory:
    lost = round(FRAGMENTATION * sum(parts.values()))
    return Memory(**parts, overhead=CONTEXT_BYTES + lost)
