"""Trains two steps with TRL on each export and reads its batches back: python train_trl.py MATERIAL OUTPUT."""

import importlib.util
import json
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from labels import list_cases, read_trained

SPLITS = ("train", "validation")
STEPS = 2


def main(material: Path, output: Path) -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch

    torch.set_num_threads(1)
    output.write_text(json.dumps({name: train_format(material, name, output.parent) for name in list_cases(material)}))


def train_format(material: Path, name: str, work: Path) -> dict[str, Any]:
    from datasets import load_dataset

    folder = material / "export" / name
    paths = {split: str(folder / f"{split}.jsonl") for split in SPLITS}
    rows = load_dataset("json", data_files=paths)
    snippet = load_snippet(folder / "TRAINING.md", work / f"prepare_{name}.py")
    if snippet is not None:
        rows = {split: snippet.prepare(part) for split, part in rows.items()}
    make = make_dpo if name == "preference" else make_sft
    trainer = make(material / "model", rows, work / f"trl-{name}", name)
    trainer.train()
    if trainer.state.global_step != STEPS:
        raise SystemExit(f"{name}: {trainer.state.global_step} steps, expected {STEPS}")
    return {split: read_batches(trainer, part) for split, part in
            (("train", trainer.train_dataset), ("validation", trainer.eval_dataset))}  # fmt: skip


def load_snippet(note: Path, path: Path) -> ModuleType | None:
    """Gives the function `prepare` of the export's own note, where TRL needs one."""
    found = re.search(r"```python\n(.*?)```", note.read_text(), re.DOTALL)
    if found is None:
        return None
    path.write_text(found.group(1))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_sft(model: Path, rows: Any, work: Path, name: str) -> Any:
    from trl import SFTConfig, SFTTrainer

    # Prompt and completion learn the completion by default; conversations learn the user's words unless told.
    special = {} if name == "instruction" else {"assistant_only_loss": True}
    options = SFTConfig(output_dir=str(work), max_length=8192, **special, **shared_options())
    return SFTTrainer(str(model), options, processing_class=load_tokenizer(model), **name_splits(rows))


def make_dpo(model: Path, rows: Any, work: Path, _: str) -> Any:
    from trl import DPOConfig, DPOTrainer

    options = DPOConfig(output_dir=str(work), max_length=8192, **shared_options())
    return DPOTrainer(str(model), args=options, processing_class=load_tokenizer(model), **name_splits(rows))


def name_splits(rows: Any) -> dict[str, Any]:
    return {"train_dataset": rows["train"], "eval_dataset": rows["validation"]}


def load_tokenizer(model: Path) -> Any:
    """Gives the tokenizer with Qwen2.5's stock template, which TRL knows and marks by itself."""
    import trl
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.chat_template = (Path(trl.__file__).parent / "chat_templates" / "qwen2_5.jinja").read_text()
    return tokenizer


def shared_options() -> dict[str, Any]:
    return {
        "max_steps": STEPS, "per_device_train_batch_size": 2, "bf16": False, "report_to": "none", "use_cpu": True,
        "save_strategy": "no", "logging_steps": 1, "disable_tqdm": True, "gradient_checkpointing": False,
    }  # fmt: skip


def read_batches(trainer: Any, rows: Any) -> list[list[str]]:
    """Gives the trained texts of each row, collated as in training; a preference gives two."""
    from torch import where

    tokenizer = trainer.processing_class
    found = []
    for row in rows:
        batch = trainer.data_collator([row])
        labels = batch["labels"] if "labels" in batch else where(
            batch["completion_mask"].bool(), batch["input_ids"], -100)  # fmt: skip
        texts = [text for line in labels.tolist() for text in read_trained(tokenizer, line)]
        # TRL's marked template counts the line end before the answer, too.
        found.append([text.removeprefix("\n") for text in texts])
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
