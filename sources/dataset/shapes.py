"""Turns a row of a known shape into the one form that is stored: messages, and what else belongs to them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from sources.dataset.columns import RowPlan, Shape
from sources.dataset.turns import RowError, read_text, read_tools, read_turns

_TRANSCRIPT_TURN = re.compile(r"(?:^|\n\n)(Human|Assistant): ?")


def read_conversation(plan: RowPlan, cells: Mapping[str, Any]) -> dict[str, Any]:
    """Gives `{"messages": [...]}` with `rejected` and `tools` where the row has them.

    Args:
        plan: What the rows of the file are.
        cells: Column to value.

    Raises:
        RowError: The row is empty where it must not be, or holds what cannot be carried.
    """
    for column in plan.media:
        if cells.get(column):
            raise RowError("unsupported_media", f"column {column} holds media, only text can be carried")
    conversation = _READERS[plan.shape](_Cells(plan, cells))
    tools = read_tools(_Cells(plan, cells).get("tools"))
    return conversation if tools is None else {**conversation, "tools": tools}


def find_turn_style(plan: RowPlan, cells: Mapping[str, Any]) -> Shape:
    """Gives the shape of a row by name: lists of turns are told apart by how they spell them."""
    turns = cells.get(plan.columns.get("messages", ""))
    if plan.shape == "messages" and isinstance(turns, list) and turns and isinstance(turns[0], dict):
        return "sharegpt" if "from" in turns[0] else "messages"
    return plan.shape


class _Cells:
    """A row, read by role instead of by column."""

    def __init__(self, plan: RowPlan, cells: Mapping[str, Any]) -> None:
        self._plan = plan
        self._cells = cells

    def get(self, role: str) -> Any:
        column = self._plan.columns.get(role)
        return None if column is None else self._cells.get(column)


def _read_pair(cells: _Cells) -> dict[str, Any]:
    before = [*_read_system(cells), *_read_history(cells)]
    return {"messages": [*before, *_read_side(cells.get("question"), "user", cells), *_read_answer(cells, "answer")]}


def _read_messages(cells: _Cells) -> dict[str, Any]:
    messages = read_turns(cells.get("messages"))
    return {"messages": [*([] if messages[0]["role"] == "system" else _read_system(cells)), *messages]}


def _read_preference(cells: _Cells) -> dict[str, Any]:
    """Reads chosen and rejected as answers to one prompt; whole conversations must agree up to the last turn."""
    chosen, rejected = _read_answer(cells, "chosen"), _read_answer(cells, "rejected")
    if cells.get("messages") is not None:
        prompt = _read_messages(cells)["messages"]
    elif cells.get("question") is not None:
        prompt = [
            *_read_system(cells),
            *_read_history(cells),
            *_read_side(cells.get("question"), "user", cells),
        ]
    else:
        prompt = chosen[:-1]
    chosen, rejected = _drop_prompt(chosen, prompt), _drop_prompt(rejected, prompt)
    if len(chosen) != 1 or len(rejected) != 1 or not prompt:
        raise RowError("not_a_preference", "chosen and rejected differ before their last turn, or have no prompt")
    if chosen == rejected:
        raise RowError("equal_answers", "chosen and rejected are the same text")
    return {"messages": [*prompt, *chosen], "rejected": rejected}


def _drop_prompt(answer: list[dict[str, Any]], prompt: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return answer[len(prompt) :] if len(answer) > 1 and answer[: len(prompt)] == prompt else answer


def _read_answer(cells: _Cells, role: str) -> list[dict[str, Any]]:
    return _read_side(cells.get(role), "assistant", cells)


def _read_side(value: Any, role: str, cells: _Cells) -> list[dict[str, Any]]:
    """Gives a prompt or an answer: a text, one turn, a list of turns, or a `Human:`/`Assistant:` transcript."""
    if isinstance(value, dict):
        return read_turns([value])
    if isinstance(value, list):
        return read_turns(value)
    text = read_text(value, "prompt" if role == "user" else "answer")
    if "Human:" in text and "Assistant:" in text and len(_TRANSCRIPT_TURN.findall(text)) > 1:
        return _read_transcript(text)
    extra = cells.get("input") if role == "user" else None
    if extra is None or (isinstance(extra, str) and not extra.strip()):
        return [{"role": role, "content": text}]
    return [{"role": role, "content": text, "input": read_text(extra, "input")}]


def _read_transcript(text: str) -> list[dict[str, Any]]:
    parts = _TRANSCRIPT_TURN.split(text)
    turns = zip(parts[1::2], parts[2::2], strict=True)
    return [{"role": "user" if who == "Human" else "assistant", "content": said.strip()} for who, said in turns]


def _read_system(cells: _Cells) -> list[dict[str, Any]]:
    system = cells.get("system")
    if system is None or (isinstance(system, str) and not system.strip()):
        return []
    return [{"role": "system", "content": read_text(system, "system")}]


def _read_history(cells: _Cells) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    for pair in cells.get("history") or []:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise RowError("broken_history", "history must be a list of [question, answer]")
        for role, text in zip(("user", "assistant"), pair, strict=True):
            messages.append({"role": role, "content": read_text(text, "history")})
    return messages


_READERS: dict[Shape, Callable[[_Cells], dict[str, Any]]] = {
    "alpaca": _read_pair,
    "prompt_completion": _read_pair,
    "question_answer": _read_pair,
    "medquad": _read_pair,
    "messages": _read_messages,
    "sharegpt": _read_messages,
    "preference": _read_preference,
}
