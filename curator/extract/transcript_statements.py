"""Turns a how, why, when or what sentence into the question that it answers, by rule and without new words."""

import re
from collections.abc import Callable, Container

from curator.extract.transcript_questions import is_self_contained
from curator.extract.transcript_text import STOP_WORDS, count_words, find_stems

SUBJECT = r"(?:(?:the|an?|your|our) )?(?:[A-Za-z][\w’'-]*)(?: (?:of |for |and |in )?[A-Za-z][\w’'-]*){0,3}?"
ADVERB = r"(?:(?:really|essentially|basically|simply|actually|just|always|usually|often|also) )*"
PRONOUN_SUBJECT = re.compile(
    r"\b(?:it|this|that|these|those|they|he|she|there|here|who|what|which|one|i|you|we|everything|something"
    r"|anything|nothing|thing|things|part|way|ways|point"
    r"|challenge|issue|key|truth|fact|hope|heart|struggle|concept|idea|goal|reason|level|step|number|other"
    r"|another|first|second|third|last|next|some|most|many|not|question|answer|problem|example|sentence|word|title"
    r"|and|but|so|or|because|if|when|where|how|why|as|to|don[’']t|doesn[’']t)\b",
    re.IGNORECASE,
)
DEFINITION = re.compile(
    rf"^({SUBJECT}),? {ADVERB}(is|are|means|refers to|is defined as) {ADVERB}(?:defined as |about )?"
    r"(?:an?|the|this|that|when|what|how|our|your|where|any|actually)\b(?! (?:part|word|thing|fact|same|lot"
    r"|case|reason|great|good|little|bit|big|huge|one)\b)",
)
CONDITION = re.compile(
    r"^(if|when|whenever|once) ((?:you|someone|somebody|people|we|a person)\b[^,?!:;]{6,90}), (?:then )?(.+)$",
    re.IGNORECASE,
)
WANT = re.compile(
    r"^(?:you|someone|people|we)(?:[’']re| are)? (?:really |ever )?(?:want|need|would like|trying|looking"
    r"|wish|hope)(?:ing)? to (.+)$"
)
ADVICE = re.compile(
    r"^(?:you (?:should|need|have|want|must|might|can|could|may|probably|ought)|don[’']t|do|never|always|try"
    r"|make|take|start|keep|use|stop|get|focus|go|let|ask"
    r"|give|think|look|find|add|avoid|begin|consider|remember|put|pick|write|set)\b",
    re.IGNORECASE,
)
RESULT = re.compile(
    r"^(?:you|your|we|our|people|they|it|there|that|most|chances|the|an?|[a-z]+ (?:is|are|will|can|may|might"
    r"|gets?|becomes?|helps?))\b",
    re.IGNORECASE,
)
IDLE_CONDITION = re.compile(
    r"\b(?:look|looking|think|thinking|talk|talking|listen|listening|familiar|said|say|saying|ever|was|were"
    r"|had|did|wouldn[’']t|couldn[’']t|someone that|someone who"
    r"|go back|notice|watch|ask me|know about|remember|imagine|consider|heard|read|mentioned|wanted|realize"
    r"|aware|just)\b",
    re.IGNORECASE,
)
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
    r"(?: (?:with|in|when|on|people make|for|during)[^,?!:;]{3,60})?) (?:is|are)\b",
    re.IGNORECASE,
)
REASON_BE = re.compile(
    rf"^({SUBJECT}) (is|are|can|should|will|must) ((?!because)[^,?!:;]{{5,80}}?),? because\b", re.IGNORECASE
)
REASON_DO = re.compile(
    r"^((?:most )?(?:people|we|you|athletes|beginners|humans|our brains|our bodies"
    r"|kids)) ([a-z]+(?: [^,?!:;]{3,80}?)?),? because\b",
    re.IGNORECASE,
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
    first, _, rest = sentence.partition(" ")
    if first.lower() not in known_words and first.lower() not in STOP_WORDS and not first.isupper():
        return None
    sentence = sentence if first.isupper() and len(first) > 1 else f"{first.lower()} {rest}"
    for name, rule in RULES.items():
        question = rule(sentence)
        if question and is_self_contained(question) and count_words(question) <= 24:
            return question, name
    return None


def _ask_how(sentence: str) -> str | None:
    match = WAY.match(sentence) or PURPOSE.match(sentence) or HOW_TO.match(sentence)
    if match:
        return f"How do I {_turn_person(match[match.lastindex or 1])}?"
    condition = CONDITION.match(sentence)
    want = WANT.match(condition[2]) if condition else None
    return f"How do I {_turn_person(want[1])}?" if want else None


def _ask_mistake(sentence: str) -> str | None:
    match = MISTAKE.match(sentence)
    if not match:
        return None
    verb = (
        "are"
        if re.search(r"(?:mistakes|errors|problems|cues)\b(?! (?:is|people make is))", match[1])
        and "of the" not in match[1]
        else "is"
    )
    return f"What {verb} {_turn_person(match[1])}?"


def _ask_why(sentence: str) -> str | None:
    match = THE_REASON.match(sentence) or REASON_DO.match(sentence)
    if match and not re.match(
        r"(?:are|is|were|was|can|should|will|must|could|would|had|have|did|might|may|don|just|only)\b", match[2]
    ):
        return f"Why do {_turn_person(match[1])} {_turn_person(match[2])}?"
    match = REASON_BE.match(sentence)
    if match and not PRONOUN_SUBJECT.search(match[1]) and not match[3].startswith(("just", "only", "that")):
        return f"Why {match[2]} {_turn_person(match[1])} {_turn_person(match[3])}?"
    return None


def _ask_condition(sentence: str) -> str | None:
    match = CONDITION.match(sentence)
    if not match or len(find_stems(match[2])) < 2 or IDLE_CONDITION.search(match[2]):
        return None
    clause = f"{match[1].lower()} {_turn_person(match[2])}"
    if ADVICE.match(match[3]):
        return f"What should I do {clause}?"
    return f"What happens {clause}?" if RESULT.match(match[3]) else None


def _ask_what(sentence: str) -> str | None:
    match = DEFINITION.match(sentence)
    if not match or PRONOUN_SUBJECT.search(match[1]) or not find_stems(match[1]):
        return None
    verb = match[2] if match[2] in ("is", "are") else "is"
    return f"What {verb} {_turn_person(match[1])}?"


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
