"""Turns a how, why, when or what sentence into the question that it answers, by rule and without new words."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass

from curator.extract.transcript_phrases import compile_anywhere, compile_start, join_phrases
from curator.extract.transcript_questions import is_self_contained
from curator.extract.transcript_text import STOP_WORDS, count_words, find_stems

MIN_WORDS = 3
MAX_WORDS = 20
MAX_CLAUSE_WORDS = 16

ADVERB = r"(?:(?:really|essentially|basically|simply|actually|just|always|usually|often|also|typically|normally) )*"
SUBJECT = r"(?P<subject>(?:an? )?(?:[A-Za-z][\w’'-]*)(?: (?:of |for |and |in )?[A-Za-z][\w’'-]*){0,3}?)"
PERSON = r"(?P<person>(?:most )?(?:people|we|you|athletes|humans|our brains|our bodies|kids|men|women|[a-z]+ers))"
CLAUSE = r"[^,?!:;]{5,80}?"


@dataclass(frozen=True)
class Rule:
    """A sentence form and the question that sentences of it answer.

    Attributes:
        name: What is asked for; kept with the example.
        form: Pattern of the sentence. Its group `subject` must name something, `present` begin with a present verb.
        question: Template of the groups.
    """

    name: str
    form: re.Pattern[str]
    question: str


def _rule(name: str, form: str, question: str) -> Rule:
    return Rule(name, re.compile(form, re.IGNORECASE), question)


RULES = (
    _rule(
        "how",
        r"^the way (?:that |in which )?(?P<subject>(?:the |an? )?[a-z][\w-]*(?: [a-z][\w-]*)?) (?P<verb>[a-z]+[^s\W])s\b"
        r"(?P<rest>[^,?!:;]{0,40}?)(?:,| is\b)",
        "How does {subject} {verb}{rest}?",
    ),
    _rule(
        "how",
        r"^(?:the|one|a|another) (?:(?:best|good|great|first|easiest|simplest|easy|simple|safest|fastest|key|main|common)"
        rf"(?: \w+)? )?way (?:that )?(?:to|you can|we can|you) (?P<what>{CLAUSE}) (?:is|would be|are)\b",
        "How do I {what}?",
    ),
    _rule(
        "how",
        rf"^(?:in order )?to (?P<what>[a-z]+ {CLAUSE}), (?:you|we|it|the|first|start|make|try|take|don)\b",
        "How do I {what}?",
    ),
    _rule(
        "how", rf"^(?:(?:so )?here[’']s|this is|that[’']s) how (?:you|we|to) (?P<what>{CLAUSE})[.:]", "How do I {what}?"
    ),
    _rule(
        "how_long",
        rf"^it {ADVERB}takes (?:about |around |at least |up to |only |roughly |anywhere from )?[\w -]{{1,25}}?"
        rf"(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?)(?: or so)? to (?P<what>{CLAUSE})[.,;]",
        "How long does it take to {what}?",
    ),
    _rule(
        "mistake",
        r"^(?P<what>(?:the|a|another|one)(?: of the)? (?:(?:most|very) )?(?:common|biggest|main|typical|frequent)(?: \w+)?"
        r" (?:mistakes?|errors?|problems?|cues?)(?: (?:with|in|when|on|people make|for|during)[^,?!:;]{3,60}?)?)"
        r" (?P<be>is|are)\b",
        "What {be} {what}?",
    ),
    _rule(
        "why",
        rf"^(?:the|one|another)(?: big| main| key)? reasons? (?:why |that )?{PERSON} (?P<present>[a-z]+(?: {CLAUSE})??) is\b",
        "Why do {person} {present}?",
    ),
    _rule(
        "why",
        rf"^{PERSON} (?P<aux>should(?:n[’']t)?|must) (?P<what>{CLAUSE}),? because\b",
        "Why {aux} {person} {what}?",
    ),
    _rule(
        "why",
        rf"^{PERSON} (?P<present>[a-z]+(?: [^?!:;]{{3,80}}?)?),? because\b",
        "Why do {person} {present}?",
    ),
    _rule(
        "why",
        r"^it(?:[’']s| is) (?:really |so |very |super |also )?(?P<how>important|crucial|essential|critical|useful|helpful|hard"
        rf"|difficult|valuable|better|healthy|dangerous) (?P<what>(?:to|for|that) {CLAUSE}),? because\b",
        "Why is it {how} {what}?",
    ),
    _rule(
        "why",
        rf"^{SUBJECT} (?P<be>is|are|can|should|will|must) (?P<what>(?!because|just|only|that\b){CLAUSE}),? because\b",
        "Why {be} {subject} {what}?",
    ),
    _rule(
        "which",
        r"^there(?:[’']s| are) (?:two|three|four|five|six|several|a few|many|different|some|a couple(?: of)?|\d+) (?:\w+ )?"
        r"(?P<kind>signs|ways|reasons|types|kinds|steps|stages|phases|benefits|methods|rules|keys|tips|causes|parts|principles"
        r"|exercises|drills|mistakes)"
        rf" (?P<what>(?:that|to|of|for|you|why|in which) {CLAUSE})[.,:;]",
        "What are the {kind} {what}?",
    ),
    _rule(
        "which",
        r"^(?P<what>one of the (?:best|most \w+|key|main|easiest|simplest) (?:\w+ )?(?:ways|strategies|tools|signs|reasons|exercises"
        rf"|habits|foods|methods) (?:to|for|of|in|that|you can) {CLAUSE}) is\b",
        "What is {what}?",
    ),
    _rule(
        "what",
        rf"^(?P<what>the (?:main |whole |big |real )?(?:{join_phrases('statement.aspects')}) (?:with|of|between|to|in|for)"
        r" [^,?!:;]{4,60}?) (?P<be>is|are)\b",
        "What {be} {what}?",
    ),
    _rule(
        "what",
        rf"^{SUBJECT} {ADVERB}(?P<verb>require)s\b",
        "What does {subject} {verb}?",
    ),
    _rule(
        "what",
        rf"^{SUBJECT},? {ADVERB}(?P<be>is|are|means?|refers? to|is defined as|are defined as) {ADVERB}(?:defined as |about )?"
        r"(?:an?|the|this|these|that|when|what|how|where|any)\b"
        rf"(?! (?:\w+ )?(?:{join_phrases('statement.no_definition')})\b)",
        "What {is_or_are} {subject}?",
    ),
)
CONDITION = re.compile(
    r"^(if|when|whenever|once) ((?:you|someone|somebody|people|we|a person)\b[^?!:;]{6,})$", re.IGNORECASE
)
WANT = re.compile(
    r"^(?:you|someone|people|we)(?:[’']re| are)? (?:really |ever )?(?:want|need|would like|trying|looking|wish|hope)(?:ing)?"
    r" to (.+)$"
)
OPENING_RULES = frozenset({"how", "how_long", "mistake", "which"})
COPULAS = ("is", "are", "means", "mean", "refers", "refer", "really", "was")
VAGUE_SUBJECT = compile_anywhere("statement.vague_subjects")
ADVICE = compile_start("statement.advice")
RESULT = compile_start("statement.result")
INSERTED = compile_start("statement.inserted")
IDLE_CONDITION = compile_anywhere("statement.idle_conditions")
NOT_PRESENT = compile_start("statement.not_present")
BARE_THE = re.compile(
    rf"(?<!^what is )(?<!^what are )(?<!one of )\bthe (?!(?:{join_phrases('statement.known_things')})\b)", re.IGNORECASE
)
PERSONS = tuple(
    (re.compile(rf"\b{spoken}\b", re.IGNORECASE), asked)
    for spoken, asked in (
        ("you aren[’']t", "I am not"),
        ("you weren[’']t", "I was not"),
        ("you(?: a|[’'])re", "I am"),
        ("you were", "I was"),
        ("you[’']ve", "I have"),
        ("you[’']ll", "I will"),
        ("yourself", "myself"),
        ("yours", "mine"),
        ("your", "my"),
        (
            "(to|for|with|of|on|at|from|about|by|affects?|helps?|gives?|makes?|lets?|keeps?|tells?|hurts?|behind|around|in) you",
            r"\1 me",
        ),
        ("you", "I"),
    )
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
    for question, name in (*_ask_condition(sentence), *_ask_rules(sentence)):
        is_short = count_words(question) <= MAX_WORDS
        if is_short and is_self_contained(question, MIN_WORDS) and not BARE_THE.search(question):
            return question, name
    return None


def opens_topic(sentence: str) -> bool:
    """Tells whether a cleaned sentence begins something new, even where its question would not stand by itself."""
    return any(rule.form.match(sentence) for rule in RULES if rule.name in OPENING_RULES)


def _ask_rules(sentence: str) -> Iterator[tuple[str, str]]:
    for rule in RULES:
        match = rule.form.match(sentence)
        if not match:
            continue
        groups = {key: value or "" for key, value in match.groupdict().items()}
        subject = groups.get("subject")
        if subject is not None and (VAGUE_SUBJECT.search(subject) or not find_stems(subject)):
            continue
        if NOT_PRESENT.match(groups.get("present", "-")):
            continue
        is_plural = groups.get("be") in ("are", "mean", "refer to") or re.search(r"[^sui]s$", subject or "")
        question = rule.question.format(**groups, is_or_are="are" if is_plural else "is")
        yield _turn_person(question), rule.name


def _ask_condition(sentence: str) -> Iterator[tuple[str, str]]:
    split = _split_condition(sentence)
    if split is None or not find_stems(split[1]):
        return
    word, clause, main = split
    want = WANT.match(clause.partition(",")[0])
    if want:
        yield f"How do I {_turn_person(want[1])}?", "how"
    elif not IDLE_CONDITION.search(clause):
        asked = f"{word.lower()} {_turn_person(clause)}"
        yield f"What should I do {asked}?" if ADVICE.match(main) else f"What happens {asked}?", "when"


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


def _turn_person(text: str) -> str:
    for spoken, asked in PERSONS:
        text = spoken.sub(asked, text)
    return text
