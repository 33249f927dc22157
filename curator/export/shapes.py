"""The row of each export format, made from stored messages. Keys come in a fixed order.

A format that cannot carry a conversation leaves the row out with a reason; nothing is flattened silently.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from curator.text import join_turn

Turns = Sequence[Mapping[str, Any]]
Row = dict[str, Any]

SHAREGPT_ROLES = {"system": "system", "user": "human", "assistant": "gpt"}


class UnfitError(Exception):
    """A conversation that a format cannot carry; the reason is its only argument."""


def shape_sharegpt(turns: Turns, metadata: Mapping[str, Any]) -> Row:
    """Gives `{"conversations": [{"from", "value"}, ...]}` with two string keys a turn."""
    _refuse_tools(turns, metadata)
    return {"conversations": [{"from": SHAREGPT_ROLES[t["role"]], "value": join_turn(t)} for t in turns]}


def shape_alpaca(turns: Turns, metadata: Mapping[str, Any]) -> Row:
    """Gives instruction, input, output, and where there are any: system, history of earlier turns."""
    _refuse_tools(turns, metadata)
    system, body = _split_system(turns)
    instruction, extra = _split_input(body[-2])
    row: Row = {"instruction": instruction, "input": extra, "output": body[-1]["content"]}
    if system:
        row["system"] = system
    earlier = [[join_turn(user), join_turn(answer)] for user, answer in zip(body[:-2:2], body[1:-2:2], strict=True)]
    if earlier:
        row["history"] = earlier
    return row


def shape_instruction(turns: Turns, metadata: Mapping[str, Any]) -> Row:
    """Gives prompt and completion in the `### Instruction:` text form; earlier turns stand before in the same form."""
    _refuse_tools(turns, metadata)
    system, body = _split_system(turns)
    blocks = [system] if system else []
    for turn in body[:-1]:
        if turn["role"] == "user":
            instruction, extra = _split_input(turn)
            blocks.append(f"### Instruction:\n{instruction}")
            if extra:
                blocks.append(f"### Input:\n{extra}")
        else:
            blocks.append(f"### Response:\n{turn['content']}")
    return {"prompt": "\n\n".join([*blocks, "### Response:\n"]), "completion": body[-1]["content"]}


def shape_messages(turns: Turns, metadata: Mapping[str, Any]) -> Row:
    """Gives `{"messages": [{"role", "content"}, ...]}`, with `tools` and tool turns where a dataset brought them."""
    row: Row = {"messages": [_plain_message(turn) for turn in turns]}
    if metadata.get("tools"):
        row["tools"] = metadata["tools"]
    return row


def shape_preference(turns: Turns, metadata: Mapping[str, Any]) -> Row:
    """Gives prompt, chosen and rejected messages; `metadata["rejected"]` holds the losing turn."""
    _refuse_tools(turns, metadata)
    return {
        "prompt": [_plain_message(turn) for turn in turns[:-1]],
        "chosen": [_plain_message(turns[-1])],
        "rejected": [_plain_message(turn) for turn in metadata["rejected"]],
    }


SHAPES: dict[str, Callable[[Turns, Mapping[str, Any]], Row]] = {
    "sharegpt": shape_sharegpt,
    "alpaca": shape_alpaca,
    "instruction": shape_instruction,
    "messages": shape_messages,
    "preference": shape_preference,
}


def _plain_message(turn: Mapping[str, Any]) -> Row:
    message = {"role": turn["role"], "content": join_turn(turn)}
    return message | {key: turn[key] for key in ("name", "tool_calls", "tool_call_id") if turn.get(key)}


def _split_input(turn: Mapping[str, Any]) -> tuple[str, str]:
    """Gives instruction and input of a user turn; an input alone is the instruction."""
    content, extra = str(turn["content"]), str(turn.get("input") or "")
    return (content, extra) if content.strip() else (extra, "")


def _split_system(turns: Turns) -> tuple[str, Turns]:
    if turns[0]["role"] == "system":
        return str(turns[0]["content"]), turns[1:]
    return "", turns


def _refuse_tools(turns: Turns, metadata: Mapping[str, Any]) -> None:
    if metadata.get("tools") or any(turn["role"] == "tool" or turn.get("tool_calls") for turn in turns):
        raise UnfitError("tool_turns")
