"""Which spoken questions stand by themselves."""

import re

from curator.extract.transcript_phrases import compile_anywhere, compile_start, join_phrases
from curator.extract.transcript_text import capitalise, clean_speech, count_words, find_stems, strip_lead

MIN_QUESTION_WORDS = 4
MAX_QUESTION_WORDS = 32

ASKING = compile_start("question.asking")
OPENING = re.compile(rf"^(?:{join_phrases('question.opening')})[\s,:;-]+", re.IGNORECASE)
CLOSING = re.compile(
    r"(?:,? so (?:that )?(?:I|we|you|people|they) (?:know|understand|can|get|don)[^?]*"
    rf"|(?:,?\s+(?:{join_phrases('question.closing')}))+)\?$",
    re.IGNORECASE,
)
IDLE = compile_start("question.idle")
POINTING = compile_anywhere("question.pointing")
POINTING_IT = re.compile(
    r"\b(?<!is )(?<!does )(?<!can )(?<!will )(?<!should )it\b"
    r"|\bit\b(?! (?:take|possible|okay|ok|hard|harder|easy|easier|important|normal|healthy|safe|better|best|worth|true"
    r"|necessary|enough|make sense)\b)",
    re.IGNORECASE,
)
THEY = re.compile(r"\b(?:they|them|their|theirs|themselves)\b", re.IGNORECASE)
PEOPLE = compile_anywhere("question.people")
CONVERSATION = compile_anywhere("question.conversation")
VOCATIVE = re.compile(r"(?:^|, )[A-Z][a-z]+, |, [A-Z][a-z]+\?$")
BROKEN = re.compile(
    r"[\"“”;]| - |--|\.\.|…|[.!?](?=.)|\bor\?$|\b(?:the|a|an|of|to|and|or|that|is|are|in|on|for|with)\?$|\b(?:either|almost)\b"
)


def pose_spoken(raw: str) -> str | None:
    """Gives the self-contained question in a spoken sentence, or None.

    Connecting words, courtesies (`can you tell us`) and false starts before a dash are left out; words are never added.
    """
    text = clean_speech(raw)
    for piece in (text, *re.split(r"\s+-\s+|:\s+", text)[1:]):
        question = _trim(piece)
        if is_self_contained(question):
            return question
    return None


def is_self_contained(question: str, min_words: int = MIN_QUESTION_WORDS) -> bool:
    """Tells whether a question can be understood by someone who heard nothing before it."""
    if not question.endswith("?") or not min_words <= count_words(question) <= MAX_QUESTION_WORDS:
        return False
    if not ASKING.match(question) or IDLE.match(question):
        return False
    if any(pattern.search(question) for pattern in (POINTING, POINTING_IT, CONVERSATION, VOCATIVE, BROKEN)):
        return False
    they = THEY.search(question)
    if they and not PEOPLE.search(question[: they.start()]):
        return False
    return bool(find_stems(question))


def _trim(text: str) -> str:
    trimmed = strip_lead(text)
    for _ in range(2):
        trimmed = strip_lead(OPENING.sub("", trimmed, count=1))
    return capitalise(CLOSING.sub("?", trimmed))
