"""Recognises what the columns of a dataset mean, or takes the user's word for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from schemas.errors import ConfigError
from sources.dataset.templates import RecordKind

Shape = Literal[
    "alpaca", "sharegpt", "messages", "prompt_completion", "question_answer", "preference", "medquad", "record"
]
ShapeOption = Literal[
    "auto", "alpaca", "sharegpt", "messages", "prompt_completion", "question_answer", "preference", "record"
]

# Spellings seen in public datasets, the commonest first; compared in lower case with `_` for spaces and dashes.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "messages": ("messages", "conversations", "conversation", "dialogue", "dialog", "turns", "chat"),
    "question": ("instruction", "question", "prompt", "query", "user", "human", "q", "problem", "input"),
    "answer": ("output", "answer", "response", "completion", "assistant", "reply", "a", "solution", "target"),
    "chosen": (
        "chosen",
        "chosen_response",
        "response_chosen",
        "preferred",
        "preferred_response",
        "accepted",
        "better",
        "response_j",
        "winner",
    ),
    "rejected": (
        "rejected",
        "rejected_response",
        "response_rejected",
        "dispreferred",
        "dispreferred_response",
        "worse",
        "response_k",
        "loser",
    ),
    "input": ("input", "context"),
    "system": ("system", "system_prompt", "system_message"),
    "history": ("history",),
    "tools": ("tools", "functions"),
    "id": ("id", "qid", "uuid", "_id", "row_id", "question_id", "conversation_id", "prompt_id"),
    "category": ("category", "topic", "subject"),
    "language": ("language", "lang"),
    "url": ("url", "source_url", "link"),
}
# Words of `--map` that mean the same as a role.
ROLE_NAMES = {"prompt": "question", "instruction": "question", "completion": "answer", "output": "answer",
              "response": "answer", "context": "input", "conversations": "messages"}  # fmt: skip
_MEDIA = ("image", "images", "video", "videos", "audio", "audios")


@dataclass(frozen=True)
class RowPlan:
    """How the rows of one file are read.

    Attributes:
        shape: What the rows are.
        columns: Role to column.
        media: Columns that hold pictures or sound, which no example can carry.
        kind: The record kind, for shape `record`.
    """

    shape: Shape
    columns: Mapping[str, str]
    media: tuple[str, ...] = ()
    kind: RecordKind | None = None


class UnknownColumnsError(Exception):
    """Nothing in the columns says what the rows are."""


def plan_rows(
    columns: Iterable[str],
    *,
    shape: ShapeOption = "auto",
    mapping: Mapping[str, str] | None = None,
    kinds: Iterable[RecordKind] = (),
) -> RowPlan:
    """Decides what rows with these columns are.

    Args:
        columns: Names of the columns.
        shape: What the user says they are.
        mapping: Role to column as the user says; other roles are recognised by name.
        kinds: Record kinds of the pack, for rows that are no conversations.

    Raises:
        UnknownColumnsError: They are nothing known; the message lists them and shows `--map`.
    """
    found = list(columns)
    roles = find_roles(found, mapping or {})
    kind = max(
        (kind for kind in kinds if set(kind.columns) <= set(found)), key=lambda kind: len(kind.columns), default=None
    )
    named = {column.casefold() for column in found}
    media = tuple(column for column in found if column.casefold() in _MEDIA)
    decided = shape if shape != "auto" else _recognise(roles, named, kind)
    if decided is None or not _is_complete(decided, roles, kind):
        raise UnknownColumnsError(_explain(found, decided))
    return RowPlan(decided, roles, media, kind if decided == "record" else None)


def find_roles(columns: Iterable[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Gives role to column: the mapped ones as they are, the others by their spelling.

    Raises:
        ConfigError: The mapping names an unknown role.
        UnknownColumnsError: The mapping names a column that is not there.
    """
    found = list(columns)
    by_name = {_fold(column): column for column in reversed(found)}
    roles: dict[str, str] = {}
    for name, column in mapping.items():
        role = ROLE_NAMES.get(name, name)
        if role not in SPELLINGS:
            raise ConfigError(f"--map {name}={column}: no such role", f"one of {', '.join(sorted(SPELLINGS))}")
        if column not in found:
            raise UnknownColumnsError(f"no column {column!r}; found {', '.join(found)}")
        roles[role] = column
    taken = set(roles.values())
    for role, spellings in SPELLINGS.items():
        free = [by_name[name] for name in spellings if name in by_name and by_name[name] not in taken]
        if role not in roles and free:
            roles[role] = free[0]
            taken.add(free[0])
    return roles


def _recognise(roles: Mapping[str, str], named: set[str], kind: RecordKind | None) -> Shape | None:
    if "chosen" in roles and "rejected" in roles:
        return "preference"
    if "messages" in roles:
        return "messages"
    if "question" in roles and "answer" in roles:
        if {"instruction", "output"} <= named:
            return "alpaca"
        return "prompt_completion" if {"prompt", "completion"} <= named else "question_answer"
    return "record" if kind is not None else None


def _is_complete(shape: Shape, roles: Mapping[str, str], kind: RecordKind | None) -> bool:
    needed: dict[str, tuple[str, ...]] = {
        "messages": ("messages",),
        "sharegpt": ("messages",),
        "preference": ("chosen", "rejected"),
        "record": (),
    }
    if shape == "record":
        return kind is not None
    return all(role in roles for role in needed.get(shape, ("question", "answer")))


def _explain(columns: list[str], shape: str | None) -> str:
    listed = ", ".join(columns) or "none"
    if shape is None:
        return f"found columns {listed}; they are no known shape ({', '.join(get_args(Shape)[:6])})"
    return f"found columns {listed}; they do not make rows of shape {shape}"


def _fold(column: str) -> str:
    return column.strip().casefold().replace("-", "_").replace(" ", "_")
