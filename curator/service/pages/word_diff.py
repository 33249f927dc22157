"""A word diff as parts that a template shows: what both have, what is left out, what is added."""

import difflib
import re

TOKEN = re.compile(r"\s+|[^\s]+")
MAX_WORDS = 4_000
CONTEXT_WORDS = 12


def diff_words(before: str, after: str) -> list[tuple[str, str]]:
    """Gives (operation, text) in order; operations are `same`, `del` and `ins`.

    Args:
        before: The text that is compared with; of very long ones the beginning.
        after: The text that is shown.
    """
    left, right = TOKEN.findall(before)[:MAX_WORDS], TOKEN.findall(after)[:MAX_WORDS]
    parts: list[tuple[str, str]] = []
    for operation, a, b, c, d in difflib.SequenceMatcher(a=left, b=right, autojunk=False).get_opcodes():
        if operation == "equal":
            parts.append(("same", "".join(left[a:b])))
            continue
        if b > a:
            parts.append(("del", "".join(left[a:b])))
        if d > c:
            parts.append(("ins", "".join(right[c:d])))
    return parts


def shorten(parts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Gives a diff with long stretches that both have cut to a few words around what differs."""
    last = len(parts) - 1
    return [
        (operation, _cut(text, has_left=place > 0, has_right=place < last) if operation == "same" else text)
        for place, (operation, text) in enumerate(parts)
    ]


def _cut(text: str, *, has_left: bool, has_right: bool) -> str:
    words = TOKEN.findall(text)
    # A word and the space behind it are two tokens.
    head = words[: 2 * CONTEXT_WORDS] if has_left else []
    tail = words[-2 * CONTEXT_WORDS :] if has_right else []
    if not (head or tail):
        head = words[: 4 * CONTEXT_WORDS]
    if len(head) + len(tail) >= len(words):
        return text
    return f"{''.join(head)} … {''.join(tail)}" if head else f"… {''.join(tail)}"
