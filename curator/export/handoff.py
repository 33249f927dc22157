"""What other trainers need to read an export: settings for LLaMA-Factory and axolotl, and a note on the rest.

Also `rows.json`: id and coach role of every row by split, so that a trainer can name a row and choose by role. What a
trainer cannot read without losing something gets no settings: the note says which format to export instead. `make
compat` holds all of this against the trainers' own readers.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from curator.export.jsonlines import Lines, dump_lines

ROWS, LLAMA_FACTORY, AXOLOTL, NOTE = "rows.json", "dataset_info.json", "axolotl.yaml", "TRAINING.md"
PAIRS = "llama-factory-{split}.jsonl"
"""Preferences for LLaMA-Factory, which wants one message where TRL's shape has a list of one."""
HANDOFF_NAMES = {ROWS, LLAMA_FACTORY, AXOLOTL, NOTE} | {
    PAIRS.format(split=split) for split in ("train", "validation", "test")
}

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
    # Spelt out: its own `alpaca` leaves the system prompt away.
    "alpaca": {
        "type": {"field_system": "system", "field_instruction": "instruction", "field_input": "input",
                 "field_output": "output", "system_format": "{system}\n\n",
                 "format": "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n",
                 "no_input_format": "### Instruction:\n{instruction}\n\n### Response:\n"},
    },
    "instruction": {
        "type": {"field_instruction": "prompt", "field_output": "completion", "format": "{instruction}",
                 "no_input_format": "{instruction}"},
    },
    "preference": {
        "type": "chat_template.default", "field_messages": "prompt", "field_chosen": "chosen",
        "field_rejected": "rejected",
    },
}  # fmt: skip
TRL_SNIPPETS = {
    "sharegpt": """\
ROLES = {"system": "system", "human": "user", "gpt": "assistant"}

def prepare(rows):
    def read(row):
        return {"messages": [{"role": ROLES[t["from"]], "content": t["value"]} for t in row["conversations"]]}
    return rows.map(read, remove_columns=rows.column_names)
""",
    "alpaca": """\
def prepare(rows):
    def read(row):
        asked = "\\n\\n".join(part for part in (row["instruction"], row["input"]) if part)
        turns = [("user", asked), ("assistant", row["output"])]
        earlier = [turn for q, a in row.get("history") or [] for turn in (("user", q), ("assistant", a))]
        system = [("system", row["system"])] if row.get("system") else []
        return {"messages": [{"role": role, "content": text} for role, text in [*system, *earlier, *turns]]}
    return rows.map(read, remove_columns=rows.column_names)
""",
}
"""`prepare` turns rows of a format that TRL has no reader for into messages."""


def build_handoff(
    name: str,
    paths: Mapping[str, str],
    members: Iterable[tuple[str, str, str]],
    optional_keys: Iterable[str],
    rows: Mapping[str, Lines],
) -> dict[str, bytes]:
    """Gives the files that stand beside the data, by name.

    Args:
        name: The format.
        paths: File of each split.
        members: Id, split and coach role of each row, in the order of the files.
        optional_keys: Keys that not every row has (`system`, `history`, ...).
        rows: The rows of each split.
    """
    about: dict[str, list[list[str]]] = {split: [] for split in paths}
    for row_id, split, role in members:
        about[split].append([row_id, role])
    keys = set(optional_keys)
    files = {ROWS: json.dumps(about, separators=(",", ":")), NOTE: write_note(name, list(paths), keys)}
    if settings := describe_for_axolotl(name, paths, keys):
        files[AXOLOTL] = yaml.safe_dump(settings, sort_keys=False)
    if info := describe_for_llama_factory(name, paths, keys, rows):
        files[LLAMA_FACTORY] = json.dumps(info, indent=2)
    made = {path: text.rstrip("\n").encode() + b"\n" for path, text in files.items()}
    if name == "preference":
        made |= {PAIRS.format(split=split): dump_lines(map(_unwrap_pair, rows[split])) for split in paths}
    return made


def describe_for_llama_factory(
    name: str, paths: Mapping[str, str], optional_keys: set[str], rows: Mapping[str, Lines]
) -> dict[str, Any]:
    """Gives `dataset_info.json`: `dataset_dir` is the folder, `dataset` is `curator_train`.

    A column is named only for a split in which a row has it: its reader fails on one that is nowhere. Empty where rows
    call tools: the reader of `messages` takes their words alone, which are none.
    """
    if "tool_calls" in optional_keys:
        return {}
    files = {split: PAIRS.format(split=split) for split in paths} if name == "preference" else paths
    return {
        f"curator_{split}": {"file_name": path, **_describe_columns(name, rows[split].keys)}
        for split, path in files.items()
    }


def describe_for_axolotl(name: str, paths: Mapping[str, str], optional_keys: set[str]) -> dict[str, Any]:
    """Gives the part of an axolotl configuration that names the data; paths are relative to the folder.

    Empty for alpaca with earlier turns, which none of its readers takes.
    """
    if "history" in optional_keys:
        return {}
    settings: dict[str, Any] = {"rl": "dpo"} if name == "preference" else {}
    kinds = {"datasets": "train", "test_datasets": "validation"}
    for key, split in kinds.items():
        if split in paths:
            # Without a split axolotl looks for one of the hub's names.
            entry = {"path": paths[split], "ds_type": "json", "split": "train", **AXOLOTL_FORMATS[name]}
            settings[key] = [entry]
    return settings


def write_note(name: str, splits: Sequence[str], optional_keys: set[str]) -> str:
    """Gives `TRAINING.md`."""
    snippet = TRL_SNIPPETS.get(name)
    return "\n".join(
        [
            "# Training on this folder",
            "",
            f"Splits: {', '.join(splits)}. `rows.json` holds id and coach role of every row, in the order of the files.",
            "",
            "- curator: `curator train --recipe NAME` does all of it; `--check` proves the loss mask of every row.",
            f"- TRL {_advise_trl(name)}.",
            f"- LLaMA-Factory: {_advise_llama_factory(name, optional_keys)}.",
            f"- axolotl: {_advise_axolotl(optional_keys)}.",
            f"- unsloth: {_advise_unsloth(name)}.",
            "- Ollama runs models and does not train them: merge the adapter, write GGUF, then `ollama create`",
            "  with a Modelfile whose TEMPLATE is the base's. `curator deploy` does that.",
            *(["", "For TRL, before the trainer gets the rows:", "```python", f"{snippet}```"] if snippet else []),
            "",
        ]
    )


def _advise_trl(name: str) -> str:
    learn = "`assistant_only_loss=True` learns answers alone"
    return {
        "messages": f"`SFTTrainer`: as it is; {learn}",
        "instruction": "`SFTTrainer`: as it is (prompt and completion)",
        "preference": "`DPOTrainer`: as it is (prompt, chosen, rejected)",
        "sharegpt": f'`SFTTrainer`: would train on "human" as a role; call `prepare` below first, then {learn}',
        "alpaca": f"`SFTTrainer`: has no reader for it; call `prepare` below first, then {learn}",
    }[name]


def _advise_llama_factory(name: str, optional_keys: set[str]) -> str:
    if "tool_calls" in optional_keys:
        return "no settings are written, its reader drops tool calls; `--format sharegpt` leaves such rows out"
    files = f"; it reads the files `{PAIRS.format(split='*')}`, with `stage: dpo`" if name == "preference" else ""
    return (
        "`dataset_dir` is this folder, `dataset` is `curator_train`"
        f"{files}; `dataset_info.json` names all tags, because rows with an unnamed one are dropped in silence"
    )


def _advise_axolotl(optional_keys: set[str]) -> str:
    if "history" in optional_keys:
        return "has no place for `history`, no settings are written; export `--format messages` for it"
    return "put `axolotl.yaml` into your configuration; its paths are relative to this folder"


def _advise_unsloth(name: str) -> str:
    return {
        "sharegpt": "`standardize_sharegpt` first, then the chat template",
        "messages": "as it is, through the chat template",
    }.get(name, "through a formatting function of your own; `--format messages` needs none")


def _unwrap_pair(row: Mapping[str, Any]) -> dict[str, Any]:
    """Gives a preference with one message where a list of one stands."""
    return {"prompt": row["prompt"], "chosen": row["chosen"][0], "rejected": row["rejected"][0]}


def _describe_columns(name: str, keys: set[str]) -> dict[str, Any]:
    if name == "sharegpt":
        return {"formatting": "sharegpt", "columns": {"messages": "conversations"}, "tags": SHAREGPT_TAGS}
    if name == "messages":
        columns = {"messages": "messages"} | ({"tools": "tools"} if "tools" in keys else {})
        return {"formatting": "sharegpt", "columns": columns, "tags": MESSAGES_TAGS}
    if name == "alpaca":
        columns = {"prompt": "instruction", "query": "input", "response": "output"}
        return {
            "formatting": "alpaca",
            "columns": columns | {k: k for k in ("system", "history") if k in keys},
        }
    if name == "instruction":
        return {"formatting": "alpaca", "columns": {"prompt": "prompt", "response": "completion"}}
    columns = {"messages": "prompt", "chosen": "chosen", "rejected": "rejected"}
    return {"formatting": "sharegpt", "ranking": True, "columns": columns, "tags": MESSAGES_TAGS}
