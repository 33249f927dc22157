"""A word diff as parts that a template shows: what both have, what is left out, what is added."""

import difflib
import re

TOKEN = re.compile(r"\s+|[^\s]+")
MAX_WORDS = 4_000


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
