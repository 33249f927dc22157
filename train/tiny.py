"""A tiny base with random weights, laid out as Qwen2: to rehearse the whole chain where no real base can be fetched.

It learns to repeat what it is shown and knows nothing else. Every row length divides by 256, so that the k-quants of
GGUF apply.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from schemas.errors import TrainError

VOCABULARY = 1024
HIDDEN = 256
LAYERS = 2
CONTEXT_LENGTH = 4096

# The words of transformers' own Qwen2 tokenizer: AutoTokenizer puts this regex in place of any other.
QWEN2_REGEX = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
QWEN2_TEMPLATE = """\
{%- if messages[0]['role'] == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
{%- else %}
    {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""


def make_tiny_base(
    folder: Path, texts: Iterable[str], *, layers: int = LAYERS, hidden: int = HIDDEN,
    context_length: int = CONTEXT_LENGTH, seed: int = 0,
) -> Path:  # fmt: skip
    """Writes a random Qwen2 (tied embeddings, ChatML, stop token `<|im_end|>`); the same for the same arguments.

    Args:
        folder: Where; it may exist.
        texts: What the tokenizer learns its words from; without any it knows single bytes.
        layers: How many.
        hidden: Width; a multiple of 256 where it is to be quantised.
        context_length: Tokens that it can read.
        seed: Of the weights.

    Raises:
        TrainError: A library of the extra `train` is not installed.
    """
    try:
        from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer
    except ImportError as error:
        raise TrainError(f"a base cannot be made: {error}", "pip install 'corpus-curator[train]'") from error
    words: Any = read_bpe(train_bpe(texts, QWEN2_REGEX, QWEN2_SPECIAL, normalise=True))
    vocabulary, merges = words
    end_of_text, *marks = QWEN2_SPECIAL
    made = Qwen2Tokenizer(
        vocab=vocabulary, merges=merges, eos_token=marks[-1], pad_token=end_of_text, extra_special_tokens=marks
    )
    made.chat_template = QWEN2_TEMPLATE
    made.save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    make_config: Any = Qwen2Config
    config = make_config(
        **list_sizes(layers, hidden, context_length), tie_word_embeddings=True, vocab_size=len(tokenizer),
        bos_token_id=None, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        rope_theta=1_000_000.0,
    )  # fmt: skip
    return save_random(Qwen2ForCausalLM, config, folder, seed)


def list_sizes(layers: int, hidden: int, context_length: int) -> dict[str, int]:
    """Gives the sizes that Qwen2 and Llama share: 2 key-value heads for 4 heads."""
    return {
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": context_length,
    }


def save_random(kind: Any, config: Any, folder: Path, seed: int) -> Path:
    """Draws the weights of a class of transformers and writes them; the process' own random state stays as it was."""
    import torch
    from transformers.utils import logging

    hide_bars: Any = logging.disable_progress_bar
    hide_bars()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        kind(config).save_pretrained(folder)
    return folder


def train_bpe(texts: Iterable[str], regex: str | None, special: Sequence[str], *, normalise: bool) -> Any:
    """Trains a byte-level BPE of `VOCABULARY` words at most and gives a tokenizer of the library `tokenizers`."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    if normalise:
        tokenizer.normalizer = normalizers.NFC()
    parts: list[Any] = [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=regex is None)]
    if regex is not None:
        parts.insert(0, pre_tokenizers.Split(Regex(regex), behavior="isolated"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(parts)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=[AddedToken(token, special=True) for token in special],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
    )  # fmt: skip
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def read_bpe(tokenizer: Any) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Gives vocabulary and merges of a trained tokenizer."""
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [(left, right) for left, right in model["merges"]]
