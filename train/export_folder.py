"""Reads an export folder back: its rows as conversations, each with its id, checked against the manifest."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.errors import TrainError

MANIFEST = "manifest.json"
ROWS = "rows.json"
SPLITS = ("train", "validation", "test")
FORMATS = ("messages", "sharegpt", "alpaca", "instruction")
SHAREGPT_ROLES = {"system": "system", "human": "user", "gpt": "assistant"}
"""What curator writes. Other spellings are no roles: they are reported and never trained on."""

Turn = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One row to learn from: turns, or a prompt and its completion as plain text.

    Attributes:
        id: The example's id, or `train.jsonl:17` where the export does not carry ids.
        turns: Messages with `role` and `content` as they stand in the file; empty for instruction text.
        prompt: Instruction text before the answer.
        completion: The answer.
        tools: Descriptions of tools for the chat template.
        coach_role: insight, planner or coach; None where unknown.
        fault: What is wrong with the row itself, or None.
    """

    id: str
    turns: list[Turn] = field(default_factory=list)
    prompt: str = ""
    completion: str = ""
    tools: list[Any] | None = None
    coach_role: str | None = None
    fault: str | None = None


@dataclass(frozen=True)
class ExportFolder:
    """An export as read.

    Attributes:
        path: The folder.
        manifest: Its `manifest.json`.
        splits: Rows by split, in the order of the files.
        has_ids: Whether the rows carry the ids of their examples.
        count_faults: Files whose rows or bytes are not what the manifest says, with both figures.
    """

    path: Path
    manifest: dict[str, Any]
    splits: dict[str, list[Row]]
    has_ids: bool
    count_faults: list[str]

    @property
    def release(self) -> str:
        """The release."""
        return str(self.manifest["release"])


def read_export(folder: Path) -> ExportFolder:
    """Reads every split of an export.

    Args:
        folder: What `curator export` wrote, in the format messages, sharegpt, alpaca or instruction.

    Raises:
        TrainError: It is no export, its format cannot be trained on, or a line is no JSON.
    """
    manifest = _read_manifest(folder)
    known = _read_rows_file(folder)
    splits: dict[str, list[Row]] = {}
    faults = []
    for file in manifest["files"]:
        values = _read_values(folder / file["path"])
        about = known.get(file["split"], [])
        splits[file["split"]] = [
            _make_row(value, manifest["format"], *_identify(file["path"], number, about, len(values)))
            for number, value in enumerate(values, start=1)
        ]
        faults += _compare(folder / file["path"], file, len(values), about if known else None)
    return ExportFolder(folder, manifest, splits, bool(known), faults)


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainError(f"{folder}: no export ({error})", "curator export --format messages writes one") from error
    if not isinstance(manifest, dict) or not {"release", "format", "files"} <= set(manifest):
        raise TrainError(f"{folder / MANIFEST}: not a manifest of curator", "curator export writes one")
    if manifest["format"] not in FORMATS:
        raise TrainError(
            f"{folder}: format {manifest['format']!r} cannot be trained on, expected one of {', '.join(FORMATS)}",
            "curator export --format messages",
        )
    return manifest


def _read_rows_file(folder: Path) -> dict[str, list[list[Any]]]:
    try:
        return dict(json.loads((folder / ROWS).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise TrainError(f"{folder / ROWS}: {error}", "curator export writes it anew") from error


def _read_values(path: Path) -> list[Any]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            return list(json.loads(text))
        lines = text.split("\n")
        lines = lines[:-1] if lines[-1] == "" else lines
    except (OSError, ValueError) as error:
        raise TrainError(f"{path}: {error}", "curator export writes it anew") from error
    return [_parse_line(line, path, number) for number, line in enumerate(lines, start=1)]


def _parse_line(line: str, path: Path, number: int) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise TrainError(f"{path}:{number}: no JSON ({error})", "curator export writes it anew") from error


def _identify(name: str, number: int, about: list[list[Any]], rows: int) -> tuple[str, str | None]:
    """Gives id and coach role; a list of another length belongs to other rows and is not believed."""
    if len(about) == rows:
        return str(about[number - 1][0]), about[number - 1][1]
    return f"{name}:{number}", None


def _compare(path: Path, file: Mapping[str, Any], rows: int, about: list[list[Any]] | None) -> list[str]:
    found = []
    if rows != file["rows"]:
        found.append(f"{file['path']}: {rows} rows, the manifest says {file['rows']}")
    if about is not None and len(about) != rows:
        found.append(f"{ROWS}: {len(about)} ids for {rows} rows of {file['path']}")
    if hashlib.sha256(path.read_bytes()).hexdigest() != file["sha256"]:
        found.append(f"{file['path']}: its bytes are not those of the manifest")
    return found


def _make_row(value: Any, name: str, row_id: str, coach_role: str | None) -> Row:
    try:
        if name == "instruction":
            return Row(row_id, prompt=value["prompt"], completion=value["completion"], coach_role=coach_role)
        turns = {"messages": _turns_of_messages, "sharegpt": _turns_of_sharegpt, "alpaca": _turns_of_alpaca}[name]
        tools = value.get("tools")
        tools = json.loads(tools) if isinstance(tools, str) else tools
        return Row(row_id, turns=turns(value), tools=tools, coach_role=coach_role)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        return Row(row_id, coach_role=coach_role, fault=f"{type(error).__name__}: {error}")


def _turns_of_messages(value: Mapping[str, Any]) -> list[Turn]:
    return [dict(turn) | {"content": turn.get("content") or ""} for turn in value["messages"]]


def _turns_of_sharegpt(value: Mapping[str, Any]) -> list[Turn]:
    """Translates the role names; one that is unknown stays as it is, for the contract to name."""
    return [
        {"role": SHAREGPT_ROLES.get(turn["from"], turn["from"]), "content": turn["value"]}
        for turn in value["conversations"]
    ]


def _turns_of_alpaca(value: Mapping[str, Any]) -> list[Turn]:
    turns: list[Turn] = [{"role": "system", "content": value["system"]}] if value.get("system") else []
    for question, answer in value.get("history", []):
        turns += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    asked = "\n\n".join(part for part in (value["instruction"], value.get("input")) if part)
    return [*turns, {"role": "user", "content": asked}, {"role": "assistant", "content": value["output"]}]
