"""What other trainers need to read an export: settings for LLaMA-Factory and axolotl, and a note on the rest.

Also `rows.json`: id and coach role of every row by split, so that a trainer can name a row and choose by role.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

ROWS, LLAMA_FACTORY, AXOLOTL, NOTE = "rows.json", "dataset_info.json", "axolotl.yaml", "TRAINING.md"
HANDOFF_NAMES = {ROWS, LLAMA_FACTORY, AXOLOTL, NOTE}

# All seven: whichever is left out counts as none in LLaMA-Factory, and its rows are dropped without a word.
SHAREGPT_TAGS = {
    "role_tag": "from", "content_tag": "value", "user_tag": "human", "assistant_tag": "gpt",
    "observation_tag": "observation", "function_tag": "function_call", "system_tag": "system",
}  # fmt: skip
MESSAGES_TAGS = {
    "role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant",
    "observation_tag": "tool", "function_tag": "function_call", "system_tag": "system",
}  # fmt: skip
AXOLOTL_FORMATS: dict[str, dict[str, Any]] = {
    "sharegpt": {
        "type": "chat_template",
        "field_messages": "conversations",
        "message_property_mappings": {"role": "from", "content": "value"},
    },
    "messages": {"type": "chat_template"},
    "alpaca": {"type": "alpaca"},
    "instruction": {
        "type": {"field_instruction": "prompt", "field_output": "completion", "format": "{instruction}",
                 "no_input_format": "{instruction}"},
    },
    "preference": {
        "type": "chat_template.default", "field_messages": "prompt", "field_chosen": "chosen",
        "field_rejected": "rejected",
    },
}  # fmt: skip
TRL_TRAINERS = {"preference": "DPOTrainer"}


def build_handoff(
    name: str, paths: Mapping[str, str], members: Iterable[tuple[str, str, str]], optional_keys: Iterable[str]
) -> dict[str, bytes]:
    """Gives the files that stand beside the data, by name.

    Args:
        name: The format.
        paths: File of each split.
        members: Id, split and coach role of each row, in the order of the files.
        optional_keys: Keys that not every row has (`system`, `history`, ...).
    """
    rows: dict[str, list[list[str]]] = {split: [] for split in paths}
    for row_id, split, role in members:
        rows[split].append([row_id, role])
    info = describe_for_llama_factory(name, paths, set(optional_keys))
    files = {
        ROWS: json.dumps(rows, separators=(",", ":")),
        AXOLOTL: yaml.safe_dump(describe_for_axolotl(name, paths), sort_keys=False),
        NOTE: write_note(name, list(paths)),
    }
    if info:
        files[LLAMA_FACTORY] = json.dumps(info, indent=2)
    return {path: text.rstrip("\n").encode() + b"\n" for path, text in files.items()}


def describe_for_llama_factory(name: str, paths: Mapping[str, str], optional_keys: set[str]) -> dict[str, Any]:
    """Gives `dataset_info.json`: `dataset_dir` is the folder, `dataset` is `curator_train`.

    Empty for preferences: LLaMA-Factory wants one message where TRL's shape has a list of one.
    """
    shared = _describe_columns(name, optional_keys)
    return {f"curator_{split}": {"file_name": path, **shared} for split, path in paths.items()} if shared else {}


def describe_for_axolotl(name: str, paths: Mapping[str, str]) -> dict[str, Any]:
    """Gives the part of an axolotl configuration that names the data; paths are relative to the folder."""
    settings: dict[str, Any] = {"rl": "dpo"} if name == "preference" else {}
    kinds = {"datasets": "train", "test_datasets": "validation"}
    for key, split in kinds.items():
        if split in paths:
            # Without a split axolotl looks for one of the hub's names.
            entry = {"path": paths[split], "ds_type": "json", "split": "train", **AXOLOTL_FORMATS[name]}
            settings[key] = [entry]
    return settings


def write_note(name: str, splits: Sequence[str]) -> str:
    """Gives `TRAINING.md`."""
    trainer = TRL_TRAINERS.get(name, "SFTTrainer")
    ready = {
        "messages": "as it is; `assistant_only_loss=True` learns answers alone",
        "instruction": "as it is (prompt and completion)",
        "preference": "as it is (prompt, chosen, rejected)",
        "sharegpt": 'keeps the role names and then trains on "human": export `--format messages` for it',
        "alpaca": "has no reader for it: export `--format messages` for it",
    }[name]
    unsloth = {
        "sharegpt": "`standardize_sharegpt` first, then the chat template",
        "messages": "as it is, through the chat template",
    }.get(name, "through a formatting function of your own; `--format messages` needs none")
    factory = (
        "LLaMA-Factory: `dataset_dir` is this folder, `dataset` is `curator_train`; `dataset_info.json` names all "
        "seven tags, because rows with an unnamed one are dropped in silence."
        if name != "preference"
        else "LLaMA-Factory: no settings are written for this format; it wants one message where a list stands here."
    )
    return "\n".join(
        [
            "# Training on this folder",
            "",
            f"Splits: {', '.join(splits)}. `rows.json` holds id and coach role of every row, in the order of the files.",
            "",
            "- curator: `curator train --recipe NAME` does all of it; `--check` proves the loss mask of every row.",
            f"- TRL `{trainer}`: {ready}.",
            f"- {factory}",
            "- axolotl: put `axolotl.yaml` into your configuration; its paths are relative to this folder.",
            f"- unsloth: {unsloth}.",
            "- Ollama runs models and does not train them: merge the adapter, write GGUF, then `ollama create`",
            "  with a Modelfile whose TEMPLATE is the base's. `curator deploy` does that.",
            "",
        ]
    )


def _describe_columns(name: str, optional_keys: set[str]) -> dict[str, Any]:
    if name == "sharegpt":
        return {"formatting": "sharegpt", "columns": {"messages": "conversations"}, "tags": SHAREGPT_TAGS}
    if name == "messages":
        columns = {"messages": "messages"} | ({"tools": "tools"} if "tools" in optional_keys else {})
        return {"formatting": "sharegpt", "columns": columns, "tags": MESSAGES_TAGS}
    if name == "alpaca":
        columns = {"prompt": "instruction", "query": "input", "response": "output"}
        return {
            "formatting": "alpaca",
            "columns": columns | {k: k for k in ("system", "history") if k in optional_keys},
        }
    if name == "instruction":
        return {"formatting": "alpaca", "columns": {"prompt": "prompt", "response": "completion"}}
    return {}
