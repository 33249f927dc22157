"""Which spoken questions stand by themselves, and which sentences can be turned into the question they answer."""

import re

from curator.extract.transcript_text import capitalise, clean_speech, count_words, find_stems, strip_lead

MIN_QUESTION_WORDS = 4
MAX_QUESTION_WORDS = 32

ASKING = re.compile(
    r"(?:what|how|why|when|where|which|who|is|are|can|could|should|do|does|will|would|(?:in|at|to|for"
    r"|by) (?:what|which|how))"
    r"(?:[’']s|[’']re)?\b",
    re.IGNORECASE,
)
OPENING = re.compile(
    r"^(?:I['’]m curious|I wonder|I guess|I suppose|the question is|my question is|let me ask(?: you)?(?: this)?"
    r"|(?:can|could|would|will) you (?:please )?(?:tell|explain to|share with|remind|help)(?: (?:us|me"
    r"|our listeners|everyone|people))?"
    r"(?: understand)?(?: more)?(?: about)?|tell (?:us|me)|(?:do|would) you (?:know|say|think)(?= (?:what|how"
    r"|why|when|where))"
    r"|what I want to (?:know|ask) is|for (?:our listeners|someone)[^,]*|in your (?:opinion|view|experience"
    r"|mind))[\s,:;-]+",
    re.IGNORECASE,
)
CLOSING = re.compile(
    r"(?:,?\s+(?:though|then|again|exactly|by the way|for you|in your opinion|in your view|in your mind"
    r"|for our listeners|do you think|would you say"
    r"|if at all|anyway|et cetera|etc\.?|or whatever|or something|or not))+\?$",
    re.IGNORECASE,
)
NOT_A_QUESTION = re.compile(
    r"^(?:who knows|who doesn|who wouldn|who cares|what about|how about|what if|what[’']s up"
    r"|what do you think|what was|why not"
    r"|how (?:many times|cool|crazy|awesome|fun|novel|often do you)|is(?:n[’']t)? (?:that|this|it)\b|are you"
    r"|am I|do you|does that|would you|wouldn|couldn"
    r"|don[’']t|doesn|isn|aren|do I|did|can you|could you|are we|what am I|where am I|why am I|will you|have"
    r"|has|was|were|had)\b",
    re.IGNORECASE,
)
POINTING = re.compile(
    r"\b(?:this|these|those|here|he|she|him|his|hers?|they[’']ve said|another one|the same|such|both|else"
    r"|former|latter|it[’']s that"
    r"|that one|that is|that[’']s|that means?|does that|is that|do that|with that|about that|of that|to that"
    r"|like that|for that|on that|said that)\b",
    re.IGNORECASE,
)
POINTING_IT = re.compile(
    r"\bit\b(?![’']?s? (?:take|takes|possible|okay|ok|hard|harder|easy|easier|important|normal|healthy|safe"
    r"|better|best|worth|true|necessary"
    r"|enough|mean to|make sense to|matter|about)\b)",
    re.IGNORECASE,
)
THEY = re.compile(r"\b(?:they|them|their|theirs|themselves)\b", re.IGNORECASE)
PEOPLE = re.compile(
    r"\b(?:people|someone|somebody|anyone|person|kids|children|parents|athletes|clients|\w+ers|\w+s)\b", re.IGNORECASE
)
CONVERSATION = re.compile(
    r"\b(?:you (?:say|said|mention|mentioned|saying|talk|talked|talking|explain|define|tell|remember|recall"
    r"|mean|described?|share|guys|ever|personally|went"
    r"|were|had|did|wrote|started|began|decided|found|grew)|your (?:book|research|work|show|story|background"
    r"|experience|journey|thoughts|take|opinion|career"
    r"|practice|company|team|website|wife|husband|talk|presentation|guest|blog|clinic|lab|study|name)"
    r"|our (?:listeners|audience|show|conversation|next|guest)"
    r"|we (?:talk|talked|discuss|discussed|said|mention|mentioned|call)|podcasts?|episodes?|listeners?"
    r"|audience|slides?|screen|demo|next question|question"
    r"|conversation today|unintelligible|gosh|heck|weird)\b",
    re.IGNORECASE,
)
VOCATIVE = re.compile(r"(?:^|, )[A-Z][a-z]+, |, [A-Z][a-z]+\?$")
BROKEN = re.compile(
    r"[\"“”;]| - |--|\.\.|…|[.!?](?=.)|\bor\?$|\b(?:the|a|an|of|to|and|or|that|is|are|in|on|for|with)\?$|\bblah\b"
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


def is_self_contained(question: str) -> bool:
    """Tells whether a question can be understood by someone who heard nothing before it."""
    if not question.endswith("?") or not MIN_QUESTION_WORDS <= count_words(question) <= MAX_QUESTION_WORDS:
        return False
    if not ASKING.match(question) or NOT_A_QUESTION.match(question):
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
