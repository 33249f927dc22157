"""The one way in which stored messages become plain text."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from schemas.example import dump_messages

if TYPE_CHECKING:
    import polars as pl

SLICE_ROWS = 20_000
BYTES_PER_TOKEN = 4
"""UTF-8 bytes a token, the estimate used until a tokenizer is at hand."""

_FOLLOWS = {
    "user": {"assistant"},
    "assistant": {"user", "tool"},
    "tool": {"tool", "assistant"},
    "system": set[str](),
}
_ONE_EXCHANGE = ["user", "assistant"]


def join_turn(message: Mapping[str, Any]) -> str:
    """Gives the text of a turn; the input of a user turn follows after a blank line."""
    content, extra = message.get("content"), message.get("input")
    if content and extra:
        return f"{content}\n\n{extra}"
    return str(content or extra or "")


def read_turns(messages: str, *roles: str) -> list[str]:
    """Gives the texts of the turns that have one of the roles, in order."""
    return [join_turn(m) for m in orjson.loads(messages) if m["role"] in roles]


def flatten_messages(frame: "pl.DataFrame") -> "pl.DataFrame":
    """Gives the plain texts of a frame with the JSON columns `messages` and `rejected`.

    Returns:
        A frame of equal height and order with `prompt` (all user turns), `answer` (all assistant turns), `question`
        (the first user turn), `full` (all turns in their order but the system's, and at the end the rejected answer of
        a preference) and `structure` (null, or what is wrong with the turns).
    """
    import polars as pl

    # In slices: as objects of the interpreter the texts of a million rows take gigabytes.
    parts = [_flatten_slice(part) for part in frame.iter_slices(SLICE_ROWS)]
    return pl.concat(parts or [_flatten_slice(frame)], rechunk=True)


def _flatten_slice(frame: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    rejected = frame["rejected"] if "rejected" in frame.columns else [None] * frame.height
    rows = [_flatten(messages, loser) for messages, loser in zip(frame["messages"], rejected, strict=True)]
    names = ("prompt", "answer", "question", "full", "structure")
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pl.DataFrame([pl.Series(name, column, pl.String) for name, column in zip(names, columns, strict=True)])


def map_contents(messages: str, change: Callable[[str], str]) -> str:
    """Gives the JSON of messages with every text in them changed by a function: contents, inputs, tool calls."""
    turns = orjson.loads(messages)
    fixed = {"role", "tool_call_id"}
    return dump_messages([{k: v if k in fixed else map_texts(v, change) for k, v in turn.items()} for turn in turns])


def check_structure(turns: Sequence[Mapping[str, Any]]) -> str | None:
    """Gives what is wrong with the order of turns, or None.

    The invariant of every export: an optional leading system turn, then user and assistant in strict alternation
    (tool turns between an assistant that calls and the assistant that answers), the assistant last, nothing empty.
    """
    return _check_turns(turns, [join_turn(turn) for turn in turns])


def map_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Gives a JSON value with every string in it (not the keys) changed by a function."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [map_texts(item, change) for item in value]
    if isinstance(value, dict):
        return {key: map_texts(item, change) for key, item in value.items()}
    return value


def _flatten(messages: str, rejected: str | None) -> tuple[str, str, str, str, str | None]:
    turns = orjson.loads(messages)
    texts = [join_turn(turn) for turn in turns]
    roles = [turn["role"] for turn in turns]
    if roles == _ONE_EXCHANGE and not rejected and not any(not text or text.isspace() for text in texts):
        # Nearly every row is one question and its answer, and a corpus is flattened by each stage.
        question, answer = texts
        return question, answer, question, f"{question}\n{answer}", None
    users = [text for text, role in zip(texts, roles, strict=True) if role == "user"]
    answers = [text for text, role in zip(texts, roles, strict=True) if role == "assistant"]
    full = [text for text, role in zip(texts, roles, strict=True) if role != "system"]
    structure = _check_turns(turns, texts)
    if rejected:
        losers = orjson.loads(rejected)
        full += [join_turn(turn) for turn in losers]
        structure = structure or check_structure([*turns[:-1], *losers])
    question = users[0] if users else ""
    return "\n".join(users), "\n".join(answers), question, "\n".join(full), structure


def _check_turns(turns: Sequence[Mapping[str, Any]], texts: Sequence[str]) -> str | None:
    roles = [turn["role"] for turn in turns]
    body = roles[1:] if roles and roles[0] == "system" else roles
    if len(body) < 2 or body[0] != "user" or body[-1] != "assistant":
        return "must_start_with_user_and_end_with_assistant"
    if not all(text and not text.isspace() for text in texts) and any(
        not text.strip() and not turn.get("tool_calls") for text, turn in zip(texts, turns, strict=True)
    ):
        return "empty_turn"
    if any(after not in _FOLLOWS[before] for before, after in itertools.pairwise(body)):
        return "turns_do_not_alternate"
    return None
