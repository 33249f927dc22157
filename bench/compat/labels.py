"""What a trainer would learn, read back from its own batches. Run in the environments of the consumers: no imports."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

IGNORED = -100
ENDS = ("<|im_end|>\n", "<|im_end|>", "<|endoftext|>")


def read_trained(tokenizer: Any, labels: Iterable[int]) -> list[str]:
    """Gives the texts that count for the loss: one a run of labels, without the token that ends an answer."""
    runs: list[list[int]] = [[]]
    for label in labels:
        if label == IGNORED:
            runs.append([])
        else:
            runs[-1].append(label)
    return [drop_end(tokenizer.decode(run, skip_special_tokens=False)) for run in runs if run]


def drop_end(text: str) -> str:
    """Takes the end of an answer off; an answer without one is marked, so that it equals no expected text."""
    for end in ENDS:
        if text.endswith(end):
            return text.removesuffix(end)
    return f"{text} [no stop token]"


def list_cases(material: Path) -> list[str]:
    """Gives the names of the exports."""
    return sorted(path.name for path in (material / "export").iterdir())
