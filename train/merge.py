"""Folds an adapter into its base: one whole model that gives the same logits."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.errors import DeployError
from train.gguf.model_folder import ModelFolder, read_json
from train.local_model import LocalModel, explain_loading, find_base, is_adapter, load_tokenizer, load_weights
from train.saving import explain_saving

LOGIT_TOLERANCE = 1e-4
"""Largest difference of logits up to 1 in float32; larger logits may differ in proportion."""
COARSE_TOLERANCE = 0.05
"""The same for models too large for float32 here, merged in their own 16 bits."""


@dataclass(frozen=True)
class MergeReport:
    """What merging did to the logits.

    Attributes:
        base: Where the base was loaded from.
        precision: Type of the weights while merging.
        max_difference: Largest difference of a logit.
        tolerance: What it may be.
    """

    base: str
    precision: str
    max_difference: float
    tolerance: float

    @property
    def is_faithful(self) -> bool:
        """Whether the merged model is the adapter's."""
        return self.max_difference <= self.tolerance


def merge_adapter(
    adapter: Path, target: Path, prompts: Sequence[Sequence[dict[str, str]]], *, base: str | None = None
) -> MergeReport:
    """Writes the merged model and says how far its logits are from the adapter's.

    The base is loaded anew and unquantised: merging into 4-bit weights would keep their errors.

    Args:
        adapter: Folder of a LoRA adapter.
        target: Folder of the merged model (safetensors and tokenizer), which must not exist yet.
        prompts: Conversations whose logits are compared, at every position.
        base: Where the base lies; as the adapter says if absent.

    Raises:
        DeployError: A part is missing or does not fit.
    """
    import numpy as np

    if not is_adapter(adapter):
        raise DeployError(f"{adapter}: no adapter_config.json", "name the folder that curator train has written")
    require_same_tokens(adapter, Path(find_base(adapter, base)))
    precision = choose_precision(Path(find_base(adapter, base)))
    tokenizer = load_tokenizer(adapter, base)
    apart = LocalModel(tokenizer, load_weights(adapter, base=base, dtype=precision).eval())
    prompt_ids = [apart.encode(prompt) for prompt in prompts]
    before = [apart.read_logits(ids) for ids in prompt_ids]
    with explain_loading(str(adapter), "merged adapter"):
        merged = LocalModel(tokenizer, apart.model.merge_and_unload(safe_merge=True))
    after = [merged.read_logits(ids) for ids in prompt_ids]
    save_model(merged, target)
    largest = max(float(np.abs(logits).max()) for logits in before)
    difference = max(float(np.abs(left - right).max()) for left, right in zip(before, after, strict=True))
    tolerance = LOGIT_TOLERANCE if precision == "float32" else COARSE_TOLERANCE
    return MergeReport(find_base(adapter, base), precision, difference, tolerance * max(1.0, largest))


def save_model(model: LocalModel, target: Path) -> None:
    """Writes a model with its tokenizer, in safetensors."""
    with explain_saving(target):
        model.model.save_pretrained(target)
    model.tokenizer.save_pretrained(target)


def require_same_tokens(adapter: Path, base: Path) -> None:
    """Refuses a base whose tokens have other numbers than those the adapter was trained with.

    Models of the same shapes take each other's adapters without a word; their tokenizers tell them apart.

    Raises:
        DeployError: A token of the base has another number, or none, in the adapter's tokenizer.
    """
    ours, theirs = adapter / "tokenizer.json", base / "tokenizer.json"
    if not (ours.is_file() and theirs.is_file()):
        return
    known, expected = _read_tokens(ours), _read_tokens(theirs)
    differing = sum(known.get(token) != number for token, number in expected.items())
    if differing:
        raise DeployError(
            f"{base}: {differing:,} of its {len(expected):,} tokens differ from those the adapter was trained with",
            "give the base that it was trained on: --base PATH",
        )


def _read_tokens(path: Path) -> dict[str, int]:
    raw = read_json(path, "copy the tokenizer again")
    vocabulary: dict[str, int] = dict((raw.get("model") or {}).get("vocab") or {})
    return vocabulary | {entry["content"]: entry["id"] for entry in raw.get("added_tokens", [])}


def choose_precision(base: Path) -> str:
    """Gives float32 where the machine's memory holds the base twice that wide, else the base's own type."""
    if not base.is_dir():
        return "float32"
    folder = ModelFolder.open(base)
    own: Any = folder.config.get("dtype") or folder.config.get("torch_dtype") or "float32"
    stored = sum(path.stat().st_size for path in set(folder.files.values()))
    width = 1 if own == "float32" else 2
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return "float32" if stored * width * 1.3 < memory else str(own)
