"""The tokenizer part of a GGUF file, read from tokenizer.json.

llama.cpp splits text by rules of its own, chosen by the name in `tokenizer.ggml.pre`. The name is found by comparing
the rules in tokenizer.json with those that llama.cpp has under it; other rules are refused, since every number in a
coach's answer would be cut differently from how it was trained.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import DeployError
from train.gguf.model_folder import read_json
from train.gguf.rope import CHECKOUT_HINT
from train.gguf.sentencepiece import describe_sentencepiece, is_sentencepiece
from train.gguf.token_types import CONTROL, NORMAL, UNUSED, USER_DEFINED

if TYPE_CHECKING:
    import gguf

_QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_LLAMA3 = _QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
PRE_TOKENIZERS: dict[tuple[Any, ...], str] = {
    (("split", _QWEN2), ("bytes", False)): "qwen2",
    (("split", _LLAMA3), ("bytes", False)): "llama-bpe",
    (("bytes", True),): "gpt-2",
}
"""llama.cpp's name of each known sequence: a regex that splits, then bytes (with GPT-2's own regex, or without)."""

SPECIAL_TOKENS = ("bos", "eos", "unk", "pad")


@dataclass(frozen=True)
class Vocabulary:
    """Everything GGUF says of a tokenizer.

    Attributes:
        model: gpt2 (byte-level BPE) or llama (SentencePiece).
        pre: llama.cpp's name of the pre-tokenizer.
        tokens: Their texts by id.
        types: Their kinds by id.
        merges: Pairs in order of preference (BPE).
        scores: By id (SentencePiece).
        special: Ids of bos, eos, unk, pad where there are any.
        flags: add_bos_token, add_eos_token, add_space_prefix.
        chat_template: Jinja text, or None.
    """

    model: str
    pre: str
    tokens: list[str] = field(repr=False)
    types: list[int] = field(repr=False)
    merges: list[str] = field(repr=False)
    scores: list[float] = field(repr=False)
    special: dict[str, int]
    flags: dict[str, bool]
    chat_template: str | None = field(repr=False)

    def add_to(self, writer: "gguf.GGUFWriter") -> None:
        """Writes the keys."""
        writer.add_tokenizer_model(self.model)
        writer.add_tokenizer_pre(self.pre)
        writer.add_token_list(self.tokens)
        writer.add_token_types(self.types)
        if self.merges:
            writer.add_token_merges(self.merges)
        if self.scores:
            writer.add_token_scores(self.scores)
        for name, number in self.special.items():
            writer.add_uint32(f"tokenizer.ggml.{'unknown' if name == 'unk' else name.replace('pad', 'padding')}_token_id",
                              number)  # fmt: skip
        for name, value in self.flags.items():
            writer.add_bool(f"tokenizer.ggml.{name}", value)
        if self.chat_template:
            writer.add_chat_template(self.chat_template)


def read_vocabulary(folder: Path, num_embeddings: int) -> Vocabulary:
    """Reads the tokenizer of a model folder.

    Args:
        folder: With tokenizer.json and tokenizer_config.json.
        num_embeddings: Rows of the embedding; ids without a token are filled with unused ones.

    Raises:
        DeployError: There is no tokenizer, it has more tokens than the model rows, or llama.cpp would split otherwise.
    """
    raw = read_json(folder / "tokenizer.json", "a model folder carries its tokenizer: copy tokenizer.json into it")
    settings = read_json(folder / "tokenizer_config.json", "copy tokenizer_config.json into the folder")
    model = raw.get("model") or {}
    if model.get("type") != "BPE":
        raise DeployError(f"{folder}: tokenizer of type {model.get('type')}: expected BPE", CHECKOUT_HINT)
    tokens, types = _list_tokens(folder, raw, num_embeddings)
    special = _find_special(settings, {token: number for number, token in enumerate(tokens)})
    flags = _find_flags(folder, special)
    template = read_chat_template(folder, settings)
    if is_sentencepiece(raw):
        types, scores, more_flags = describe_sentencepiece(folder, raw, tokens, types)
        return Vocabulary("llama", "default", tokens, types, [], scores, special, flags | more_flags, template)
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    return Vocabulary("gpt2", name_pre_tokenizer(folder, raw), tokens, types, merges, [], special, flags, template)


def name_pre_tokenizer(folder: Path, raw: dict[str, Any]) -> str:
    """Gives llama.cpp's name of the pre-tokenizer.

    Raises:
        DeployError: It is none of those known, or text is normalised first in a way that llama.cpp does not know.
    """
    normaliser = raw.get("normalizer")
    # NFC changes nothing in text that is typed on a keyboard; llama.cpp leaves it out for Qwen as well.
    if normaliser is not None and normaliser.get("type") != "NFC":
        raise DeployError(f"{folder}: normalizer {normaliser.get('type')}: expected none or NFC", CHECKOUT_HINT)
    steps = raw.get("pre_tokenizer") or {}
    parts = steps.get("pretokenizers", [steps])
    name = PRE_TOKENIZERS.get(tuple(_describe_step(part) for part in parts))
    if name is None:
        kinds = ", ".join(str(part.get("type")) for part in parts)
        raise DeployError(
            f"{folder}: pre-tokenizer ({kinds}) is none of {', '.join(PRE_TOKENIZERS.values())}", CHECKOUT_HINT
        )
    return name


def read_chat_template(folder: Path, settings: dict[str, Any] | None = None) -> str | None:
    """Gives the chat template of a folder, without marks of trained text; None where there is none."""
    settings = settings if settings is not None else read_json(folder / "tokenizer_config.json", "")
    file = folder / "chat_template.jinja"
    template: Any = file.read_text(encoding="utf-8") if file.exists() else settings.get("chat_template")
    if isinstance(template, list):
        template = next((entry["template"] for entry in template if entry.get("name") == "default"), None)
    return strip_generation_marks(template) if isinstance(template, str) and template.strip() else None


def strip_generation_marks(template: str) -> str:
    """Gives a template that llama.cpp's Jinja reads: `{% generation %}` is a tag of transformers alone.

    An `if` that is always true takes its place, so that what the tags do to the space around them stays the same.
    """
    import re

    template = re.sub(r"{%(-?)\s*generation\s*(-?)%}", r"{%\1 if true \2%}", template)
    return re.sub(r"{%(-?)\s*endgeneration\s*(-?)%}", r"{%\1 endif \2%}", template)


def _describe_step(step: dict[str, Any]) -> tuple[Any, ...]:
    if step.get("type") == "Split" and step.get("behavior") == "Isolated" and not step.get("invert"):
        return "split", step.get("pattern", {}).get("Regex")
    if step.get("type") == "ByteLevel" and not step.get("add_prefix_space"):
        return "bytes", bool(step.get("use_regex", True))
    return (json.dumps(step, sort_keys=True),)


def _list_tokens(folder: Path, raw: dict[str, Any], num_embeddings: int) -> tuple[list[str], list[int]]:
    added = {entry["id"]: entry for entry in raw.get("added_tokens", [])}
    texts = {number: text for text, number in raw["model"]["vocab"].items()}
    texts |= {number: entry["content"] for number, entry in added.items()}
    if texts and max(texts) >= num_embeddings:
        raise DeployError(
            f"{folder}: the tokenizer has {max(texts) + 1} tokens, the model {num_embeddings} rows",
            "tokenizer and model do not belong together: copy both from the same base",
        )
    tokens = [texts.get(number, f"[PAD{number}]") for number in range(num_embeddings)]
    types = [UNUSED if number not in texts else NORMAL for number in range(num_embeddings)]
    for number, entry in added.items():
        types[number] = CONTROL if entry.get("special") else USER_DEFINED
    return tokens, types


def _find_special(settings: dict[str, Any], ids: dict[str, int]) -> dict[str, int]:
    found = {}
    for name in SPECIAL_TOKENS:
        token = settings.get(f"{name}_token")
        text = token.get("content") if isinstance(token, dict) else token
        if text in ids:
            found[name] = ids[text]
    return found


def _find_flags(folder: Path, special: dict[str, int]) -> dict[str, bool]:
    """Asks the tokenizer itself what it puts around a text."""
    from tokenizers import Tokenizer

    try:
        ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode("a").ids
    except Exception as error:  # tokenizers raises a bare Exception
        raise DeployError(f"{folder / 'tokenizer.json'}: {error}", "copy the file again") from error
    return {
        "add_bos_token": bool(ids) and ids[0] == special.get("bos"),
        "add_eos_token": bool(ids) and ids[-1] == special.get("eos"),
    }
