"""SentencePiece vocabularies (Llama 2, Mistral) as tokenizer.json holds them: scores from the order of merges.

llama.cpp joins the neighbours whose union has the highest score; tokenizers takes the first pair of a list. Both do the
same when the list has every way to split a token and lists them side by side, as converted SentencePiece models do.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from schemas.errors import DeployError
from train.gguf.rope import CHECKOUT_HINT
from train.gguf.token_types import BYTE, NORMAL, UNKNOWN

SPACE = "▁"
_BYTE_TOKEN = re.compile(r"<0x[0-9A-F]{2}>")
_NEVER_JOINED = -1e9
"""Score of tokens that no merge makes: single characters, bytes, control tokens."""


def is_sentencepiece(raw: dict[str, Any]) -> bool:
    """Says whether a tokenizer.json is a converted SentencePiece model: it falls back to bytes."""
    return bool(raw["model"].get("byte_fallback"))


def describe_sentencepiece(
    folder: Path, raw: dict[str, Any], tokens: Sequence[str], types: Sequence[int]
) -> tuple[list[int], list[float], dict[str, bool]]:
    """Gives types and scores by id, and the flag of the space in front.

    Raises:
        DeployError: llama.cpp would join pieces in another order, or treat spaces otherwise.
    """
    merges = [tuple(pair.split(" ", 1)) if isinstance(pair, str) else tuple(pair) for pair in raw["model"]["merges"]]
    products = [left + right for left, right in merges]
    _prove_order(folder, merges, products, set(raw["model"]["vocab"]))
    ranks: dict[str, int] = {}
    for product in products:
        ranks.setdefault(product, len(ranks))
    kinds = [BYTE if _BYTE_TOKEN.fullmatch(token) else kind for token, kind in zip(tokens, types, strict=True)]
    unknown = raw["model"].get("unk_token")
    kinds = [UNKNOWN if token == unknown else kind for token, kind in zip(tokens, kinds, strict=True)]
    scores = [
        float(-ranks[token]) if kind == NORMAL and token in ranks else _NEVER_JOINED
        for token, kind in zip(tokens, kinds, strict=True)
    ]
    return kinds, scores, {"add_space_prefix": _adds_space(folder, raw)}


def _prove_order(folder: Path, merges: list[tuple[str, ...]], products: list[str], vocabulary: set[str]) -> None:
    groups = [right for left, right in pairwise([None, *products]) if left != right]
    listed = set(merges)
    unlisted = (
        product
        for product in dict.fromkeys(products)
        for cut in range(1, len(product))
        if product[:cut] in vocabulary and product[cut:] in vocabulary and (product[:cut], product[cut:]) not in listed
    )
    if len(groups) != len(set(groups)) or next(unlisted, None) is not None:
        raise DeployError(f"{folder}: the merges do not come from a SentencePiece model", CHECKOUT_HINT)


def _adds_space(folder: Path, raw: dict[str, Any]) -> bool:
    """Says whether a text gets a space in front; every space must become the piece's own sign."""
    steps = (raw.get("normalizer") or {}).get("normalizers", [raw.get("normalizer") or {}])
    kinds = [step.get("type") for step in steps]
    splitter = raw.get("pre_tokenizer") or {}
    if splitter.get("type") == "Metaspace" and not splitter.get("split", True) and kinds == [None]:
        return bool(splitter.get("prepend_scheme") != "never")
    if raw.get("pre_tokenizer") is None and kinds in (["Prepend", "Replace"], ["Replace"]):
        return "Prepend" in kinds
    raise DeployError(f"{folder}: spaces are treated in an unknown way", CHECKOUT_HINT)
