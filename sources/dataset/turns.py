"""Reads the turns of a conversation, in whichever of the common spellings, without losing one.

Tool turns keep their structure: a call is an assistant turn with `tool_calls` (arguments as a JSON string), its
result a turn of role `tool`. What cannot be carried, such as a picture, refuses the whole row.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from schemas.identity import dump_canonical

ROLES = {
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "chatbot": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "tool_response": "tool",
    "function_response": "tool",
    "function_call": "call",
    "tool_call": "call",
}
_ROLE_KEYS = ("role", "from", "speaker")
_CONTENT_KEYS = ("content", "value", "text")
# A turn that a dataset marks with one of these at zero or False is not to be learnt from.
_WEIGHT_KEYS = ("loss_weight", "weight", "train")
_REASONING_KEYS = ("reasoning_content", "reasoning", "thinking")


class RowError(Exception):
    """A row that cannot become a conversation; `reason` is the word of the rejection."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def read_turns(value: Any) -> list[dict[str, Any]]:
    """Gives the messages of a list of turns (`role`/`content` or `from`/`value`).

    Args:
        value: A list of turns, or its JSON.

    Raises:
        RowError: It is no list of turns, or a turn has an unknown role or holds what no message can carry.
    """
    turns = _parse_json(value) if isinstance(value, str) else value
    if not isinstance(turns, list) or not turns:
        raise RowError("not_a_conversation", f"a {type(turns).__name__}, expected a list of turns")
    messages: list[dict[str, Any]] = []
    for number, turn in enumerate(turns, 1):
        if not isinstance(turn, dict):
            raise RowError("not_a_conversation", f"turn {number} is a {type(turn).__name__}, expected an object")
        messages.append(_read_turn(turn, number, messages))
    return messages


def read_text(value: Any, what: str) -> str:
    """Gives a cell as text, without space around it.

    Raises:
        RowError: It is empty (`empty_WHAT`) or no text.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        raise RowError(f"empty_{what}", f"the {what} is empty")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise RowError("not_text", f"the {what} is a {type(value).__name__}, expected text")
    return str(value).strip()


def read_tools(value: Any) -> list[Any] | None:
    """Gives the tools that a conversation may call (a list, or its JSON), None where there are none.

    Raises:
        RowError: They are no list.
    """
    tools = _parse_json(value) if isinstance(value, str) and value.strip() else value
    if not tools:
        return None
    if not isinstance(tools, list):
        raise RowError("broken_tools", f"tools are a {type(tools).__name__}, expected a list")
    return tools


def _read_turn(turn: Mapping[str, Any], number: int, before: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    name = next((turn[key] for key in _ROLE_KEYS if turn.get(key)), None)
    role = ROLES.get(str(name).casefold()) if name is not None else None
    if role is None:
        raise RowError("unknown_role", f"turn {number} has role {name!r}, known are {', '.join(sorted(ROLES))}")
    content = _read_content(next((turn[key] for key in _CONTENT_KEYS if turn.get(key) is not None), None), number)
    if any(turn.get(key) for key in _REASONING_KEYS):
        raise RowError("unsupported_turn", f"turn {number} carries hidden reasoning, which no message can hold")
    if role == "call":
        return {"role": "assistant", "content": "", "tool_calls": _read_calls(_parse_json(content), before)}
    calls = turn.get("tool_calls") or turn.get("function_call")
    if role == "assistant" and calls:
        return {"role": role, "content": content, "tool_calls": _read_calls(calls, before)}
    if role == "tool":
        return _read_result(turn, content, before)
    if role == "assistant" and any(key in turn and not turn[key] for key in _WEIGHT_KEYS):
        raise RowError("masked_turn", f"turn {number} is an answer that is marked as not to be learnt from")
    return {"role": role, "content": content}


def _read_content(value: Any, number: int) -> str:
    """Joins the text parts of a turn; a part that is no text cannot be carried."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if not isinstance(value, list):
        raise RowError("not_text", f"turn {number} holds a {type(value).__name__}, expected text")
    texts: list[str] = []
    for part in value:
        text = part if isinstance(part, str) else _part_text(part)
        if text is None:
            kind = part.get("type") if isinstance(part, dict) else type(part).__name__
            raise RowError("unsupported_content", f"turn {number} holds a part of type {kind!r}, expected text")
        texts.append(text)
    return "\n".join(texts).strip()


def _part_text(part: Any) -> str | None:
    if not isinstance(part, dict) or part.get("type", "text") != "text":
        return None
    text = part.get("text", part.get("value"))
    return text if isinstance(text, str) else None


def _read_calls(value: Any, before: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    calls = value if isinstance(value, list) else [value]
    first = sum(len(message.get("tool_calls", [])) for message in before)
    return [_read_call(call, f"call_{first + n}") for n, call in enumerate(calls)]


def _read_call(call: Any, default_id: str) -> dict[str, Any]:
    inner = call.get("function", call) if isinstance(call, dict) else None
    if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
        raise RowError("broken_tool_call", "a call without a name, expected {name, arguments}")
    arguments = inner.get("arguments", {})
    if not isinstance(arguments, str):
        arguments = dump_canonical(arguments)
    return {
        "id": str(call.get("id") or default_id),
        "type": "function",
        "function": {"name": inner["name"], "arguments": arguments},
    }


def _read_result(turn: Mapping[str, Any], content: str, before: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Ties a result to the call it answers: by its own id, else to the first call that has none yet."""
    called = [call["id"] for message in before for call in message.get("tool_calls", [])]
    answered = {message["tool_call_id"] for message in before if "tool_call_id" in message}
    open_calls = [call for call in called if call not in answered]
    call_id = turn.get("tool_call_id") or (open_calls[0] if open_calls else None)
    if call_id is None:
        raise RowError("broken_tool_call", "a tool result without a call before it")
    message = {"role": "tool", "content": content, "tool_call_id": str(call_id)}
    return {**message, "name": turn["name"]} if isinstance(turn.get("name"), str) else message


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RowError("broken_json_cell", f"a cell that should hold JSON does not: {error}") from error
