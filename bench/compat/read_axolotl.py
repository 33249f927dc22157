"""Runs axolotl's own `get_dataset_wrapper` over the exports: python read_axolotl.py MATERIAL OUTPUT."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from labels import drop_end, list_cases, read_trained


def main(material: Path, output: Path) -> None:
    os.environ |= {"AXOLOTL_DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1"}
    output.write_text(json.dumps({name: read_format(material, name) for name in list_cases(material)}))


def read_format(material: Path, name: str) -> dict[str, Any]:
    import yaml

    folder = material / "export" / name
    if not (folder / "axolotl.yaml").exists():
        return {}
    settings = yaml.safe_load((folder / "axolotl.yaml").read_text())
    entries = {"train": settings["datasets"][0], "validation": settings["test_datasets"][0]}
    read = read_pairs if settings.get("rl") else read_answers
    return {split: read(material / "model", folder, entry) for split, entry in entries.items()}


def read_answers(model: Path, folder: Path, entry: dict[str, Any]) -> list[list[str]]:
    from axolotl.utils.data.wrappers import get_dataset_wrapper
    from axolotl.utils.dict import DictDefault
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    cfg = DictDefault({"sequence_len": 8192, "train_on_inputs": False, "datasets": [entry]})
    kind = entry["type"] if isinstance(entry["type"], str) else None
    rows, _ = get_dataset_wrapper(cfg.datasets[0], tokenizer, cfg, kind, load_rows(folder, entry))
    return [read_trained(tokenizer, row["labels"]) for row in rows]


def read_pairs(model: Path, folder: Path, entry: dict[str, Any]) -> list[list[str]]:
    """Gives chosen and rejected as axolotl's DPO strategy makes them for its trainer."""
    from axolotl.prompt_strategies.dpo import load
    from axolotl.utils.dict import DictDefault
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    made = load(entry["type"], DictDefault({"datasets": [entry]}), dataset_idx=0)
    transform, options = made if isinstance(made, tuple) else (made, {})
    rows = load_rows(folder, entry).map(transform, fn_kwargs={"tokenizer": tokenizer}, **options)
    return [[drop_end(row["chosen"]), drop_end(row["rejected"])] for row in rows]


def load_rows(folder: Path, entry: dict[str, Any]) -> Any:
    from datasets import load_dataset

    return load_dataset(entry["ds_type"], data_files=str(folder / entry["path"]), split=entry["split"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
