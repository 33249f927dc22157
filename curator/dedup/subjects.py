"""What counts as the text of a conversation when duplicates are looked for."""

from collections.abc import Iterable, Mapping
from typing import Literal

from curator.dedup.errors import DedupError

Subject = Literal["both", "prompt", "answer"]

_ROLES: dict[str, frozenset[str]] = {
    "both": frozenset(("user", "assistant", "tool")),
    "prompt": frozenset(("user",)),
    "answer": frozenset(("assistant",)),
}


def join_turns(
    messages: Iterable[Mapping[str, str | None]], subject: Subject = "both", *, masked: Iterable[str] = ()
) -> str:
    """Return the text of a conversation that is compared with others.

    Args:
        messages: Turns with role, content and perhaps input, in order. System prompts never count: a whole pack
            shares them.
        subject: "both" takes prompts and answers; "prompt" and "answer" one side only (the same answer to many
            questions shows in "answer").
        masked: Passages to leave out wherever they occur: template texts of the source.
    """
    if subject not in _ROLES:
        raise DedupError(f'subject "{subject}": expected both, prompt or answer', 'try subject="both"')
    parts = [
        part
        for message in messages
        if message["role"] in _ROLES[subject]
        for part in (message.get("content"), message.get("input"))
        if part
    ]
    text = "\n\n".join(parts)
    for passage in masked:
        text = text.replace(passage, " ")
    return text
