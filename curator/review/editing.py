"""Rows as a person edits them: turns by option, from a file, or in the editor of their choice."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import orjson

from curator.text import check_structure
from schemas.errors import ConfigError
from warehouse import Warehouse

Turns = list[dict[str, Any]]

HEAD = "### "
"""Begins the line that names a turn's role in the text that the editor shows."""


def read_turns_of(snapshot: Warehouse, prefix: str) -> tuple[str, Turns]:
    """Gives the id and the turns of the example whose id starts so.

    Raises:
        ConfigError: None starts so, or several.
    """
    found = snapshot.read("find_examples", prefix=prefix)
    if found.height != 1:
        what = "no example has it" if not found.height else "more than one example starts so"
        raise ConfigError(f"id {prefix!r}: {what}", "curator review --json shows the ids that wait")
    return str(found["id"][0]), orjson.loads(found["messages"][0])


def read_messages(path: Path) -> Turns:
    """Reads a conversation.

    Raises:
        ConfigError: The file is absent or holds no JSON array of turns.
    """
    try:
        turns = orjson.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}", "name a file with a JSON array of role and content") from error
    if not isinstance(turns, list):
        raise ConfigError(f"{path}: holds no array", "expected a JSON array of objects with role and content")
    return turns


def replace_turns(turns: Turns, question: str | None, answer: str | None) -> Turns:
    """Gives the turns with the last question, the last answer, or both anew."""
    changed = [dict(turn) for turn in turns]
    for role, text in (("user", question), ("assistant", answer)):
        if text is not None:
            last = next(turn for turn in reversed(changed) if turn["role"] == role)
            last["content"] = text
    return changed


def edit_in_editor(turns: Turns) -> Turns:
    """Opens $VISUAL or $EDITOR on a conversation and gives what was saved.

    Raises:
        ConfigError: There is no editor, it failed, nothing was changed, or what was saved is no conversation.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    before = write_turns(turns)
    # In a folder that only its owner reads, and gone afterwards: the text may have to be forgotten one day.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "row.md"
        path.write_text(before, encoding="utf-8")
        try:
            subprocess.run([*shlex.split(editor), str(path)], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise ConfigError(f"editor {editor!r}: {error}", "set EDITOR, or give --question and --answer") from error
        after = path.read_text(encoding="utf-8")
    if after == before:
        raise ConfigError("nothing was changed", "")
    return parse_turns(after, turns)


def write_turns(turns: Turns) -> str:
    """Gives a conversation as text: a line `### role` before each turn, the input of a user turn under `### input`."""
    parts = []
    for turn in turns:
        parts.append(f"{HEAD}{turn['role']}\n{turn['content']}\n")
        if turn.get("input"):
            parts.append(f"{HEAD}input\n{turn['input']}\n")
    return "".join(parts)


def parse_turns(text: str, before: Turns) -> Turns:
    """Gives the conversation that a text of `write_turns` tells; calls of tools are those of the turns before.

    Raises:
        ConfigError: It is no conversation.
    """
    turns: Turns = []
    for block in f"\n{text}".split(f"\n{HEAD}")[1:]:
        head, _, body = block.partition("\n")
        role = head.strip()
        if role == "input" and turns:
            turns[-1]["input"] = body.strip()
        elif role in ("system", "user", "assistant", "tool"):
            turns.append({"role": role, "content": body.strip()})
        else:
            # A heading of the text itself, such as "### Warm-up".
            if not turns:
                raise ConfigError(f"{head!r}: unknown role", f"a turn begins with a line such as {HEAD}user")
            turns[-1]["content"] += f"\n{HEAD}{block}".rstrip()
    if [turn["role"] for turn in turns] == [turn["role"] for turn in before]:
        fixed = ("tool_calls", "tool_call_id", "name")
        turns = [
            {**{k: v for k, v in old.items() if k in fixed}, **new} for old, new in zip(before, turns, strict=True)
        ]
    fault = check_structure(turns)
    if fault:
        raise ConfigError(f"the conversation: {fault}", "user and assistant take turns, the assistant last")
    return turns
