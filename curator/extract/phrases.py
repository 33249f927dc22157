"""Puts cells of a record into sentences: lists, articles, capitals, steps; English only."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from curator.extract.questions import lower_phrase

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
# What comes behind the noun that a name turns on: `deadlift with chains`, `curls lying against an incline`.
_AFTER_HEAD = re.compile(
    r" (?:with|on|from|against|in|over|to|of|lying|standing|off|for|and|behind|at|using|per|by|through) |[/]"
)
_NOUNS_IN_ING = ("swing", "morning", "string", "ring", "sling", "wing", "landing")
_MARKUP = re.compile(r"<[^<>]*>|\b/?(?:li|ol|ul|br)>|&[a-z]+;")
# What a text puts in brackets to point at another part of its page, or to speak of its author.
_POINTER = re.compile(r"\s*\([^()]*\b(?:chapter|section|described|my prefer\w+)\b[^()]*\)", re.IGNORECASE)
_GLUED_STOP = re.compile(r"(?<=[a-z]{2}\.)(?=[A-Z][a-z])")
_STRAY_LETTER = re.compile(r"(?<=[a-z][.!?])[a-z](?=\s|$)|(?<=[a-z][.!?])\s\d$")
_TWICE = re.compile(r"\b([a-z]{2,}) \1\b")
_START_POSITION = re.compile(r"\bthis\b[^.]{0,30}\bstart(?:ing)? position\b", re.IGNORECASE)
_LABEL_ALONE = re.compile(r"\b(Tip|Note|Variation|Variations|Caution):\s+")


def speak_name(name: str, proper_names: Collection[str] = ()) -> str:
    """Gives the name of a thing as it stands inside a sentence.

    `Barbell Bench Press - Medium Grip` reads `barbell bench press (medium grip)`, `Running, Treadmill` reads
    `running (treadmill)`; names of people and places keep their capital.

    Args:
        name: As a list has it, in title case.
        proper_names: Words that always keep their capital.
    """
    spoken = lower_phrase(name.strip(), frozenset(proper_names), is_title_case=True)
    spoken = re.sub(r"^(.*?)(?: - |, )(.+)$", r"\1 (\2)", spoken)
    return " ".join(spoken.split())


def with_the(name: str) -> str:
    """Puts `the` before a name, unless it is a plural or an activity: `the back squat`, `ankle circles`, `running`."""
    head = _AFTER_HEAD.split(re.sub(r"\s*\(.*\)$", "", name))[0]
    last = head.rsplit(" ", 1)[-1].split("-")[-1]
    is_plural = last.endswith("s") and not last.endswith(("ss", "us", "is", "'s"))
    is_activity = last.endswith("ing") and not last.endswith(_NOUNS_IN_ING)
    return name if is_plural or is_activity or head.lower().startswith(("the ", "your ")) else f"the {name}"


def with_article(phrase: str) -> str:
    """Puts `a` or `an` before a phrase, by its first letter."""
    return f"{'an' if phrase[:1].lower() in 'aeio' else 'a'} {phrase}"


def join_and(items: Sequence[Any] | str) -> str:
    """Joins items as in `chest, shoulders and triceps`."""
    return _join(items, "and")


def join_or(items: Sequence[Any] | str) -> str:
    """Joins items as in `dumbbells or bands`."""
    return _join(items, "or")


def make_steps(items: Sequence[Any] | str) -> str:
    """Numbers items, a line each; a single one stays a paragraph."""
    texts = [upper_first(text) for text in _texts(items)]
    if len(texts) == 1:
        return texts[0]
    return "\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))


def make_bullets(items: Sequence[Any] | str) -> str:
    """Puts a dash before each item, a line each."""
    return "\n".join(f"- {text}" for text in _texts(items))


def lower_first(text: str) -> str:
    """Makes the first letter small, unless the first word is an abbreviation or `I`."""
    first = text.split(" ", 1)[0]
    return text if first == "I" or not first[1:].islower() else text[:1].lower() + text[1:]


def upper_first(text: str) -> str:
    """Makes the first letter a capital."""
    return text[:1].upper() + text[1:]


def with_stop(text: str) -> str:
    """Ends a sentence with a full stop if it has no end."""
    bare = text.strip()
    return bare if bare.endswith((".", "!", "?", ":")) or not bare else f"{bare}."


def without_stop(text: str) -> str:
    """Takes the full stop off, so that the sentence can go on."""
    return text.strip().rstrip(".")


def drop_sentences(items: Sequence[str], pattern: str) -> list[str]:
    """Leaves out sentences that match a regular expression, such as those that point at pictures."""
    wanted = re.compile(pattern, re.IGNORECASE)
    kept = (
        " ".join(sentence for sentence in _SENTENCE_END.split(item) if not wanted.search(sentence)) for item in items
    )
    return [item for item in kept if item.strip()]


def mend_text(text: str) -> str:
    """Takes out what a text kept of its web page: tags, pointers, a letter or a number behind a stop, a word said twice."""
    bare = _STRAY_LETTER.sub("", _POINTER.sub("", _MARKUP.sub(" ", text)))
    return " ".join(_TWICE.sub(r"\1", _GLUED_STOP.sub(" ", bare)).split())


def take_setup(items: Sequence[str]) -> list[str]:
    """Gives the steps up to the one that says `this is your starting position`; none without it, or if it is the last."""
    for number, text in enumerate(items, 1):
        if _START_POSITION.search(text):
            return list(items[:number]) if number < len(items) else []
    return []


def matches(text: str, pattern: str) -> bool:
    """Tells whether a regular expression is found in a text, whatever its case."""
    return re.search(pattern, text, re.IGNORECASE) is not None


def _join(items: Sequence[Any] | str, word: str) -> str:
    texts = _texts(items)
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {word} {texts[-1]}" if texts else ""


def _texts(items: Sequence[Any] | str) -> list[str]:
    listed = [items] if isinstance(items, str) else items
    return [_LABEL_ALONE.sub(r"\1: ", " ".join(str(item).split())) for item in listed]


PHRASE_FILTERS: Mapping[str, Callable[..., Any]] = {
    "the": with_the,
    "a": with_article,
    "join_and": join_and,
    "join_or": join_or,
    "steps": make_steps,
    "bullets": make_bullets,
    "lower_first": lower_first,
    "upper_first": upper_first,
    "stop": with_stop,
    "no_stop": without_stop,
    "drop_sentences": drop_sentences,
    "setup": take_setup,
    "matches": matches,
}
