"""Reads the export folders as a published data set is read, by their cards: python read_datasets.py MATERIAL OUTPUT."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from labels import list_cases


def main(material: Path, output: Path) -> None:
    os.environ["HF_HUB_OFFLINE"] = "1"
    output.write_text(
        json.dumps({name: read_format(material / "export" / name, name) for name in list_cases(material)})
    )


def read_format(folder: Path, name: str) -> dict[str, Any]:
    from datasets import load_dataset

    return {split: [read_answers(row, name) for row in rows] for split, rows in load_dataset(str(folder)).items()}


def read_answers(row: dict[str, Any], name: str) -> list[str]:
    if name == "sharegpt":
        return [turn["value"] for turn in row["conversations"] if turn["from"] == "gpt"]
    if name == "messages":
        return [turn["content"] for turn in row["messages"] if turn["role"] == "assistant"]
    if name.startswith("alpaca"):
        return [*(answer for _, answer in row.get("history") or []), row["output"]]
    if name == "instruction":
        return [row["completion"]]
    return [row["chosen"][0]["content"], row["rejected"][0]["content"]]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
