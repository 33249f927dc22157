"""Turns a how, why, when or what sentence into the question that it answers, by rule and without new words."""

import re
from collections.abc import Callable, Container

from curator.extract.transcript_phrases import compile_anywhere, compile_start, join_phrases
from curator.extract.transcript_questions import is_self_contained
from curator.extract.transcript_text import STOP_WORDS, count_words, find_stems

SUBJECT = r"(?:an? )?(?:[A-Za-z][\w’'-]*)(?: (?:of |for |and |in )?[A-Za-z][\w’'-]*){0,3}?"
ADVERB = r"(?:(?:really|essentially|basically|simply|actually|just|always|usually|often|also) )*"
VAGUE_SUBJECT = compile_anywhere("statement.vague_subjects")
DEFINITION = re.compile(
    rf"^({SUBJECT}),? {ADVERB}(is|are|means?|refers? to|is defined as|are defined as) {ADVERB}(?:defined as |about )?"
    rf"(?:an?|the|this|these|that|when|what|how|where|any)\b(?! (?:\w+ )?(?:{join_phrases('statement.no_definition')})\b)",
)
CONDITION = re.compile(
    r"^(if|when|whenever|once) ((?:you|someone|somebody|people|we|a person)\b[^?!:;]{6,})$", re.IGNORECASE
)
MAX_CLAUSE_WORDS = 16
WANT = re.compile(
    r"^(?:you|someone|people|we)(?:[’']re| are)? (?:really |ever )?(?:want|need|would like|trying|looking"
    r"|wish|hope)(?:ing)? to (.+)$"
)
ADVICE = compile_start("statement.advice")
RESULT = compile_start("statement.result")
INSERTED = compile_start("statement.inserted")
IDLE_CONDITION = compile_anywhere("statement.idle_conditions")
NOT_PRESENT = compile_start("statement.not_present")
BARE_THE = re.compile(rf"\bthe (?!(?:{join_phrases('statement.known_things')})\b)", re.IGNORECASE)
WAY = re.compile(
    r"^(?:the|one|a|another) (?:(best|good|great|first|easiest|simplest|easy|simple|safest|fastest|key|main"
    r"|common)(?: \w+)? )?way (?:that )?(?:to|you can|we can|you)"
    r" ([^,?!:;]{5,80}?) (?:is|would be|are)\b",
    re.IGNORECASE,
)
PURPOSE = re.compile(
    r"^(?:in order )?to ([a-z]+ [^,?!:;]{5,70}), (?:you|we|it|the|first|start|make|try|take|don)\b", re.IGNORECASE
)
HOW_TO = re.compile(r"^(?:(?:so )?here[’']s|this is|that[’']s) how (?:you|we|to) ([^,?!:;]{5,70})[.:]", re.IGNORECASE)
MISTAKE = re.compile(
    r"^((?:the|a|another|one)(?: of the)? (?:(?:most|very) )?(?:common|biggest|main|typical"
    r"|frequent)(?: \w+)? (?:mistakes?|errors?|problems?|cues?)"
    r"(?: (?:with|in|when|on|people make|for|during)[^,?!:;]{3,60}?)?) (is|are)\b",
    re.IGNORECASE,
)
REASON_BE = re.compile(
    rf"^({SUBJECT}) (is|are|can|should|will|must) ((?!because)[^,?!:;]{{5,80}}?),? because\b", re.IGNORECASE
)
REASON_DO = re.compile(
    r"^((?:most )?(?:people|we|you|athletes|beginners|humans|our brains|our bodies|kids))"
    r" ([a-z]+(?: [^?!:;]{3,80}?)?),? because\b",
    re.IGNORECASE,
)
ASPECT = re.compile(
    rf"^(the (?:main |whole |big |real )?(?:{join_phrases('statement.aspects')}) (?:with|of|between|to|in|for)"
    r" [^,?!:;]{4,60}?) (is|are)\b",
    re.IGNORECASE,
)
WORKS = re.compile(
    r"^the way (?:that |in which )?((?:the |an? )?[a-z][\w-]*(?: [a-z][\w-]*)?) ([a-z]+[^s\W])s\b([^,?!:;]{0,40}?)(?:,| is\b)"
)
THE_REASON = re.compile(
    r"^(?:the|one|another)(?: big| main| key)? reasons? (?:why |that )?((?:most )?(?:people|we|you|our brains"
    r"|kids)) ([a-z]+ [^,?!:;]{3,70}?) is\b",
    re.IGNORECASE,
)
PERSONS = (
    (re.compile(r"\byou are\b|\byou[’']re\b", re.IGNORECASE), "I am"),
    (re.compile(r"\byou were\b", re.IGNORECASE), "I was"),
    (re.compile(r"\byou[’']ve\b", re.IGNORECASE), "I have"),
    (re.compile(r"\byou[’']ll\b", re.IGNORECASE), "I will"),
    (re.compile(r"\byourself\b", re.IGNORECASE), "myself"),
    (re.compile(r"\byours\b", re.IGNORECASE), "mine"),
    (re.compile(r"\byour\b", re.IGNORECASE), "my"),
    (
        re.compile(
            r"\b(to|for|with|of|on|at|from|about|by|affects?|helps?|gives?|makes?|lets?|keeps?|tells?|hurts?"
            r"|behind|around|in) you\b",
            re.IGNORECASE,
        ),
        r"\1 me",
    ),
    (re.compile(r"\byou\b", re.IGNORECASE), "I"),
)


def pose_statement(sentence: str, known_words: Container[str]) -> tuple[str, str] | None:
    """Gives `(question, rule)` that a cleaned sentence answers, or None when no rule fits.

    The question is asked by the one who is spoken to, so `you` becomes `I`.

    Args:
        sentence: Cleaned, without connecting words before it.
        known_words: Words that stand within sentences of the transcript: what is capitalised there is a name.
    """
    first, second = [*sentence.split(maxsplit=2), "", ""][:2]
    is_common = first.lower() in known_words or first.lower() in STOP_WORDS
    if not is_common and not first.isupper() and (second in COPULAS or second[:1].isupper()):
        return None
    if is_common and not second[:1].isupper() and not (first.isupper() and len(first) > 1):
        sentence = sentence[0].lower() + sentence[1:]
    for name, rule in RULES.items():
        question = rule(sentence)
        if (
            question
            and is_self_contained(question, 3)
            and count_words(question) <= MAX_WORDS
            and not BARE_THE.search(question.removeprefix("What is the").removeprefix("What are the"))
        ):
            return question, name
    return None


def _ask_how(sentence: str) -> str | None:
    works = WORKS.match(sentence)
    if works and not VAGUE_SUBJECT.search(works[1]):
        return f"How does {works[1]} {_turn_person(works[2] + works[3])}?"
    match = WAY.match(sentence) or PURPOSE.match(sentence) or HOW_TO.match(sentence)
    if match:
        return f"How do I {_turn_person(match[match.lastindex or 1])}?"
    condition = _split_condition(sentence)
    want = WANT.match(condition[1].partition(",")[0]) if condition else None
    return f"How do I {_turn_person(want[1])}?" if want else None


def _ask_mistake(sentence: str) -> str | None:
    match = MISTAKE.match(sentence)
    if not match:
        return None
    return f"What {match[2]} {_turn_person(match[1])}?"


def _ask_why(sentence: str) -> str | None:
    match = THE_REASON.match(sentence) or REASON_DO.match(sentence)
    if match and not NOT_PRESENT.match(match[2]):
        return f"Why do {_turn_person(match[1])} {_turn_person(match[2])}?"
    match = REASON_BE.match(sentence)
    if match and not VAGUE_SUBJECT.search(match[1]) and not match[3].startswith(("just", "only", "that")):
        return f"Why {match[2]} {_turn_person(match[1])} {_turn_person(match[3])}?"
    return None


def _ask_condition(sentence: str) -> str | None:
    split = _split_condition(sentence)
    if split is None or not find_stems(split[1]) or IDLE_CONDITION.search(split[1]):
        return None
    word, clause, main = split
    asked = f"{word.lower()} {_turn_person(clause)}"
    return f"What should I do {asked}?" if ADVICE.match(main) else f"What happens {asked}?"


def _split_condition(sentence: str) -> tuple[str, str, str] | None:
    """Gives `(if or when, clause, main clause)`; what is inserted between the two is left out."""
    match = CONDITION.match(sentence)
    if not match:
        return None
    pieces = re.split(r", (?:then )?", match[2])
    for number, piece in enumerate(pieces[1:], 1):
        if ADVICE.match(piece) or RESULT.match(piece):
            end = next((n for n in range(1, number) if INSERTED.match(pieces[n])), number)
            clause = ", ".join(pieces[:end])
            is_short = 3 <= count_words(clause) <= MAX_CLAUSE_WORDS
            return (match[1], clause, ", ".join(pieces[number:])) if is_short else None
    return None


def _ask_what(sentence: str) -> str | None:
    match = ASPECT.match(sentence)
    if match:
        return f"What {match[2]} {_turn_person(match[1])}?"
    match = DEFINITION.match(sentence)
    if not match or VAGUE_SUBJECT.search(match[1]) or not find_stems(match[1]):
        return None
    is_plural = match[2] in ("are", "mean", "refer to") or re.search(r"[^sui]s$", match[1])
    return f"What {'are' if is_plural else 'is'} {_turn_person(match[1])}?"


MAX_WORDS = 20
COPULAS = ("is", "are", "means", "mean", "refers", "refer", "really", "was")

RULES: dict[str, Callable[[str], str | None]] = {
    "how": _ask_how,
    "mistake": _ask_mistake,
    "why": _ask_why,
    "when": _ask_condition,
    "what": _ask_what,
}


def _turn_person(text: str) -> str:
    for pattern, person in PERSONS:
        text = pattern.sub(person, text)
    return text
