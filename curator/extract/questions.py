"""Turns a topic heading into the question that its section answers, by the patterns of the pack."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from curator.extract.headings import EMPTY_WORDS
from schemas.errors import ConfigError
from schemas.identity import make_id
from schemas.pack import Pack
from sources.packs.loader import read_pack_toml

# A heading in which so many of the longer words begin with a capital is in title case.
TITLE_CASE_RATIO = 0.6

_QUESTION_MARKS = "?؟？"
_SLOT = re.compile(r"\{(\w+)\}")
_INSIDE_SENTENCE = re.compile(r"(?<=[\w,;]) ([^\W\d_][\w'’]*)")
_WORD = re.compile(r"[^\W\d_][\w'’]*")


@dataclass(frozen=True)
class QuestionPattern:
    """Headings of one form and the questions they can become.

    Attributes:
        language: Of heading and questions.
        match: Searched in the cleaned heading.
        templates: Slots are `{heading}`, `{title}` and the named groups of `match`.
    """

    language: str
    match: re.Pattern[str]
    templates: tuple[str, ...]


def _builtin(language: str, match: str, *templates: str) -> QuestionPattern:
    return QuestionPattern(language, re.compile(match, re.IGNORECASE), templates)


# What a pack falls back on; the last one of a language takes every heading.
BUILTIN_PATTERNS: tuple[QuestionPattern, ...] = (
    _builtin("en", r"^how to (?P<rest>.+)$", "How do I {rest}?", "How should I {rest}?"),
    _builtin("en", r"^(?P<word>when|where|what|which \w+) to (?P<rest>.+)$", "{word} should I {rest}?"),
    _builtin("en", r"^what (is|are|counts|makes|causes|happens)\b", "{heading}?"),
    _builtin("en", r"^(why|what|how|when|where|who|which)\b", "Can you explain {heading}?"),
    _builtin("en", r"^(?P<one>.+?) (vs\.?|versus) (?P<two>.+)$", "What is the difference between {one} and {two}?"),
    _builtin("en", r"^(?P<one>[^,:]+?) or (?P<two>[^,:]+)$", "How do I choose between {one} and {two}?"),
    _builtin(
        "en",
        r"^(the )?(?P<rest>(common|typical|frequent|usual) .*(mistakes|errors|faults|problems|myths)\b.*)$",
        "What are {rest}?",
        "What {rest} should I watch out for?",
    ),
    _builtin(
        "en",
        r"^(the )?(?P<rest>(benefits|types|signs|causes|kinds|sources|principles|examples|forms) of .+)$",
        "What are the {rest}?",
    ),
    _builtin(
        "en",
        r".",
        "What should I know about {heading}?",
        "Can you explain {heading}?",
        "What do I need to know about {heading}?",
        "When it comes to {title}, what should I know about {heading}?",
        "I have a question about {title}: what should I know about {heading}?",
    ),
    _builtin("ar", r".", "ماذا ينبغي أن أعرف عن {heading}؟", "هل يمكنك أن تشرح لي {heading}؟"),
    _builtin("*", r".", "{heading}?"),
)

# For sections that are rows of figures: one asks for the figures, whatever they are about.
FIGURE_PATTERNS: tuple[QuestionPattern, ...] = (
    _builtin("en", r".", "Can you give me the figures for {heading}?", "What are the numbers for {heading}?"),
    _builtin("ar", r".", "هل تعطيني الأرقام الخاصة بـ{heading}؟"),
)

# For sections with ingredients.
RECIPE_PATTERNS: tuple[QuestionPattern, ...] = (
    _builtin("en", r".", "Do you have a recipe for {heading}?", "What goes into {heading}, and how is it made?"),
)


def load_patterns(pack: Pack) -> tuple[QuestionPattern, ...]:
    """Gives the pack's patterns in their order, then the built-in ones.

    Raises:
        ConfigError: The pack's file is broken: a key is missing or unknown, or `match` is no regular expression.
    """
    if pack.questions is None:
        return BUILTIN_PATTERNS
    where = pack.root / pack.questions
    tables = read_pack_toml(pack, pack.questions).get("pattern", [])
    return (*(_read_pattern(table, f"{where}: pattern {n}") for n, table in enumerate(tables, 1)), *BUILTIN_PATTERNS)


def is_question(heading: str) -> bool:
    """Tells whether a heading already asks."""
    return heading.rstrip(" *_\"'”’)").endswith(tuple(_QUESTION_MARKS))


def ask_question(
    heading: str,
    title: str,
    *,
    language: str,
    patterns: Sequence[QuestionPattern],
    key: str,
    words: Collection[str] = (),
) -> str:
    """Gives the question that a heading stands for; a heading that asks is given as it is.

    Which of several templates is taken depends on `key` alone, so a rerun asks the same. A template that names the
    title is preferred where the heading shares no word with it, and avoided where it does.

    Args:
        heading: Cleaned heading.
        title: What the heading belongs to: the heading above it or the page; empty if there is nothing.
        language: Code of the page's language.
        patterns: Tried in order.
        key: Id of the section.
        words: Words of the page's running text, which tell names (kept) from title case (lowered).
    """
    if is_question(heading):
        return _upper_first(heading)
    pattern, match = _find_pattern(heading, language, patterns)
    template = _choose_template(pattern.templates, heading, title, key)
    groups = {name: value for name, value in match.groupdict().items() if value}
    slots = {name: lower_phrase(value, words) for name, value in {**groups, "heading": heading, "title": title}.items()}
    return _upper_first(_SLOT.sub(lambda slot: slots.get(slot.group(1), ""), template))


def lower_phrase(phrase: str, words: Collection[str] = (), *, is_title_case: bool = False) -> str:
    """Gives a heading as it would stand inside a sentence: names and abbreviations keep their capitals.

    Args:
        phrase: The heading.
        words: Words of running text; those with a capital are names.
        is_title_case: Every capital is one of style; otherwise it is one where most longer words have one.
    """
    found = _WORD.findall(phrase)
    long = [word for word in found if len(word) > 3]
    capitals = sum(word[0].isupper() for word in long)
    is_styled = is_title_case or (capitals > 1 and capitals >= TITLE_CASE_RATIO * len(long))
    first = True

    def lower(match: re.Match[str]) -> str:
        nonlocal first
        word, is_first = match.group(0), first
        first = False
        if not (word[0].isupper() and word[1:].islower()) or word.startswith(("I'", "I’")):
            return word.lower() if word == "A" and (is_first or is_styled) else word
        if word.lower() in words:
            return word.lower()
        if word.endswith(("'s", "’s")) and not is_styled:
            return word
        return word if word in words or not (is_styled or is_first) else word.lower()

    return _WORD.sub(lower, phrase)


def running_words(text: str) -> frozenset[str]:
    """Gives the words of a text as they stand inside sentences; first words begin with a capital anyway.

    Lines that end in a colon are labels, whose capitals say nothing.
    """
    lines = (line for line in text.split("\n") if not line.rstrip().endswith(":"))
    return frozenset(_INSIDE_SENTENCE.findall("\n".join(lines)))


def _find_pattern(
    heading: str, language: str, patterns: Sequence[QuestionPattern]
) -> tuple[QuestionPattern, re.Match[str]]:
    for pattern in (*patterns, *BUILTIN_PATTERNS):
        match = pattern.match.search(heading) if pattern.language in (language, "*") else None
        if match:
            return pattern, match
    last = BUILTIN_PATTERNS[-1]
    return last, re.compile("").match(heading) or re.compile(".*").search(heading)  # type: ignore[return-value]


def _choose_template(templates: Sequence[str], heading: str, title: str, key: str) -> str:
    is_apart = bool(title) and not _content_words(heading) & _content_words(title)
    fitting = [template for template in templates if ("{title}" in template) == is_apart] or [
        template for template in templates if title or "{title}" not in template
    ]
    usable = fitting or list(templates)
    return usable[int(make_id("question", key)[:8], 16) % len(usable)]


def _content_words(phrase: str) -> set[str]:
    """Words of a phrase by their first five letters, so that squat and squatting count as one."""
    return {word.casefold()[:5] for word in _WORD.findall(phrase)} - EMPTY_WORDS


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _read_pattern(table: Mapping[str, object], where: str) -> QuestionPattern:
    unknown = set(table) - {"language", "match", "templates"}
    templates = table.get("templates")
    match = table.get("match", ".")
    if unknown or not isinstance(templates, list) or not templates or not isinstance(match, str):
        raise ConfigError(f"{where}: found {sorted(table)}, expected language, match (a regex) and templates (a list)")
    try:
        compiled = re.compile(match, re.IGNORECASE)
    except re.error as error:
        raise ConfigError(f"{where}: match {match!r} is no regular expression: {error}") from error
    known = {"heading", "title", *compiled.groupindex}
    wrong = {slot for template in templates for slot in _SLOT.findall(str(template))} - known
    if wrong:
        raise ConfigError(f"{where}: templates name {sorted(wrong)}, there are {sorted(known)}")
    return QuestionPattern(str(table.get("language", "en")), compiled, tuple(str(template) for template in templates))
