"""Finds words that were glued together where a text lost its dashes: `the abdomenusually fat`.

A token that is no word, but two, had a dash in it. What is a word is told by a list of those that MedQuAD uses.
"""

import re
from functools import cache
from importlib.resources import files

MIN_TOKEN_CHARS = 5
MIN_FIRST_CHARS = 3
MIN_LATER_CHARS = 4
# The first word is the longest that fits, so a plural goes before its singular: `tubules tiny`, not `tubule stiny`.
_TOKEN = re.compile(r"(?<![\w'’./-])[A-Z]?[a-z]{4,}(?![\w'’/])")


# Second words that a hyphen, not a dash, joined to the first: `a gel-like liquid`.
_HYPHENATED = frozenset(
    {"like", "free", "term", "strength", "dimensional", "shaped", "balanced", "containing", "lasting"}
)
# Where the longest first word is the wrong one: `in the officeshow that`.
_SPLITS = {"officeshow": ("office", "show")}
# What no list of words can split, and is damage all the same: `also called BPHis`, `one in 12have`, `cystitisis`.
_GLUED_ODDLY = re.compile(
    r"\b(?:[A-Z]{2,}|\d+)(?:a|an|and|are|can|have|is|may|of|or|the|to|when|which)\b|\b\w{4,}(?:isis|osisa|itisa|emiaa)\b"
)


def restore_dashes(text: str) -> str:
    """Puts a dash back where two words are glued: `cirrhosisextensive scarring`, `a laparoscopea thin tube`."""
    return _TOKEN.sub(lambda match: _join(split_glued(match[0])), text)


def has_glued(text: str) -> bool:
    """Tells whether words are still glued that `restore_dashes` cannot part."""
    return _GLUED_ODDLY.search(text) is not None


def _join(words: tuple[str, ...]) -> str:
    return ("-" if words[-1] in _HYPHENATED else " – ").join(words)


def split_glued(token: str) -> tuple[str, ...]:
    """Gives the two or three words that a token is made of; the token alone where it is a word, or no such words."""
    known, small = load_words(), token.lower()
    if small in known or len(token) < MIN_TOKEN_CHARS:
        return (token,)
    if small in _SPLITS:
        return _SPLITS[small]
    ends = [end for end in range(len(token) - 1, MIN_FIRST_CHARS - 1, -1) if small[:end] in known]
    for end in ends:
        if small[end:] in known:
            return token[:end], token[end:]
    for end in ends:
        rest = _split_long(small[end:], known)
        if rest:
            return token[:end], *rest
    return (token,)


def _split_long(token: str, known: frozenset[str]) -> tuple[str, str] | None:
    """Gives the two words of a rest, none of them short: with three words, short ones fit by chance."""
    for end in range(len(token) - MIN_LATER_CHARS, MIN_LATER_CHARS - 1, -1):
        if token[:end] in known and token[end:] in known:
            return token[:end], token[end:]
    return None


@cache
def load_words() -> frozenset[str]:
    """Gives the known words in lower case, compounds such as `bedroom` among them."""
    return frozenset(files(__package__).joinpath("medquad_words.txt").read_text("utf-8").split())
