"""Compiles the phrases of spoken English by which the rules for transcripts decide (`transcript_phrases.toml`)."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

PHRASES = Path(__file__).with_suffix(".toml")
CONNECTORS = r"(?:(?:and|but|so|or|because|then|okay|well)\b[,\s]+)*"


def compile_anywhere(name: str) -> re.Pattern[str]:
    """Gives the pattern of a list of phrases (`answer.anecdote`) that matches wherever one of them stands."""
    return re.compile(rf"\b(?:{join_phrases(name)})\b", re.IGNORECASE)


def compile_start(name: str, *, after: str = "") -> re.Pattern[str]:
    """Gives the pattern of a list of phrases that matches at the start of a text, after an optional pattern."""
    return re.compile(rf"^{after}(?:{join_phrases(name)})\b", re.IGNORECASE)


def join_phrases(name: str) -> str:
    """Gives the phrases of a list as alternatives of a regular expression."""
    section, key = name.split(".")
    return "|".join(_read_phrases()[section][key]).replace("'", "[’']")


def read_words(name: str) -> frozenset[str]:
    """Gives the words of a text of words."""
    section, key = name.split(".")
    return frozenset(_read_phrases()[section][key].split())


@cache
def _read_phrases() -> dict[str, Any]:
    return tomllib.loads(PHRASES.read_text(encoding="utf-8"))
