"""Runs LLaMA-Factory's own `get_dataset` over the exports: python read_llama_factory.py MATERIAL OUTPUT."""

import json
import os
import sys
import types
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from labels import list_cases, read_trained

# Readers of pictures, sound and film, imported at the top of its modules and never called for text.
MEDIA = ("torchaudio", "torchvision", "torchvision.transforms", "av")
SPLITS = ("train", "validation", "test")


def main(material: Path, output: Path) -> None:
    os.environ |= {"DISABLE_VERSION_CHECK": "1", "HF_HUB_OFFLINE": "1"}
    for name in MEDIA:
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__spec__ = ModuleSpec(name, None)
    output.write_text(json.dumps({name: read_format(material, name, output.parent) for name in list_cases(material)}))


def read_format(material: Path, name: str, work: Path) -> dict[str, Any]:
    folder = material / "export" / name
    if not (folder / "dataset_info.json").exists():
        return {}
    return {split: read_split(material / "model", folder, split, name == "preference", work) for split in SPLITS}


def read_split(model: Path, folder: Path, split: str, is_pair: bool, work: Path) -> list[list[str]]:
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_tokenizer

    stage = "dpo" if is_pair else "sft"
    model_args, data_args, training_args, _, _ = get_train_args({
        "model_name_or_path": str(model), "stage": stage, "do_train": True, "finetuning_type": "full",
        "dataset_dir": str(folder), "dataset": f"curator_{split}", "template": "qwen", "cutoff_len": 8192,
        "overwrite_cache": True, "output_dir": str(work / "llama-factory"), "report_to": "none", "use_cpu": True,
    })  # fmt: skip
    tokenizer = load_tokenizer(model_args)["tokenizer"]
    template = get_template_and_fix_tokenizer(tokenizer, data_args)
    found = get_dataset(template, model_args, data_args, training_args, "rm" if is_pair else "sft", tokenizer)
    rows = found["train_dataset"]
    if is_pair:
        return [
            read_trained(tokenizer, row["chosen_labels"]) + read_trained(tokenizer, row["rejected_labels"])
            for row in rows
        ]
    return [read_trained(tokenizer, row["labels"]) for row in rows]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
