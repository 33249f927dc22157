"""Which part of what is said after a question can be trained on as its answer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from curator.extract.transcript_text import clean_speech, count_words, find_stems, strip_lead
from curator.extract.transcript_turns import Sentence

MIN_ANSWER_WORDS = 40
MAX_ANSWER_WORDS = 180

EMPTY_REPLY = re.compile(
    r"^(?:(?:that[’']s|that is|what|it[’']s|this is) (?:an? )?(?:\w+ )?(?:good|great|excellent|interesting"
    r"|awesome|fantastic|tough|hard|fair) (?:question|point|one)"
    r"|(?:good|great|excellent) (?:question|point)|I love (?:this|that|it|the)|I would love to|I[’']d love to"
    r"|I[’']m (?:so )?glad|thank you|thanks|love it"
    r"|(?:that[’']s|you[’']re) (?:exactly |so )?(?:right|true|it|a good one)|you said it|it is|it does"
    r"|they (?:do|are)|no|yes|yeah|of course|totally|definitely)\b[^.?!]*[.!]?$",
    re.IGNORECASE,
)
POINTING_START = re.compile(
    r"^(?:that|this|these|those|he|she|his|her|they|them|it[’']s (?:funny|interesting|ironic|so)"
    r"|I don[’']t know|I[’']m not sure|I have no idea"
    r"|you (?:mentioned|said|asked|know)|we (?:talked|said|mentioned)|I think about|I remember|when I\b|I was"
    r"|I had|my |me\b|like\b|or\b|which\b|not\b|say\b"
    r"|for me|the other|another|there[’']s also|then\b|let[’']s|let me|what I|as (?:I|you|we)|what you"
    r"|what are|what is)",
    re.IGNORECASE,
)
CONVERSATION = re.compile(
    r"\b(?:you (?:said|mentioned|asked|just said|were saying|guys)|like you|as you|we(?:[’']ve)? (?:talked"
    r"|said|mentioned|discussed|spoke|alluded)|we[’']ll (?:talk|get)|listeners?|listening"
    r"|podcasts?|episodes?|show notes|this show|our show|this conversation|our conversation|today[’']s"
    r"|earlier|slack|sponsors?|sponsored|promo code|discount|brought to you"
    r"|subscribe|link in|description below|check out|website|unintelligible|slides?|as you can see"
    r"|you can see|on the screen|over here|right here|this graph|this chart"
    r"|this picture|this video|demo|let me (?:say|read|show|give|tell)|quot(?:e|ing)|I read|the book|his book"
    r"|my book|her book|the author|we[’']re talking|I[’']m talking|question"
    r"|back to|anyway|whatever|blah|stuff like that|things like that|long story|I forget|what was it"
    r"|I don[’']t remember|not sure how|thank you|kidding|joke|haha|gosh|oh my)\b",
    re.IGNORECASE,
)
ANECDOTE = re.compile(
    r"\b(?:I (?:was|had|did|went|got|said|told|remember|thought|used to|came|saw|heard|bought|grew|felt|wrote"
    r"|made|started|took|worked|tried|realized|recently)"
    r"|my (?:wife|husband|kids?|son|daughter|mom|mother|dad|father|friends?|brother|sister|patients?|children"
    r"|family|boss|birthday|house|dog|car)|mine"
    r"|a friend of|yesterday|last (?:night|week|weekend|month|year)|this morning|the other day|years ago"
    r"|when I was)\b",
    re.IGNORECASE,
)
LOOSE = re.compile(
    r"\b(?:like|just|really|literally|stuff|things?|whatever|going|something|kind|sort|super|guess|mean)\b",
    re.IGNORECASE,
)
FIRST_PERSON = re.compile(r"\b(?:I|I[’'](?:m|ve|d|ll)|my|me|myself)\b")
YES_NO = re.compile(r"^(?:is|are|can|could|should|do|does|will|would)\b", re.IGNORECASE)
YES = re.compile(
    r"^(?:(?:well|so|oh|and)\b[\s,]*)*(yes|yeah|yep|absolutely|exactly|precisely|definitely|sure|no|nope)\b",
    re.IGNORECASE,
)

MAX_LOOSE_RATIO = 0.07
MAX_FIRST_PERSON_RATIO = 0.04
MIN_SHARED_RATIO = 0.2


@dataclass(frozen=True)
class Answer:
    """A piece of speech that answers a question.

    Attributes:
        text: Cleaned, 40 to 180 words.
        sentences: The raw sentences that it is made of.
    """

    text: str
    sentences: tuple[Sentence, ...]


def cut_answer(question: str, sentences: Sequence[Sentence]) -> Answer | str:
    """Gives the answer with which a stretch of speech begins, or a reason why it is none.

    Empty replies (`great question`) before it are left out; it ends before talk about the conversation, a story of the
    speaker's own, or another question, and at a paragraph where one ends within the limit.
    """
    kept = _collect(_skip_replies(sentences))
    if not kept:
        return "answer_off_topic"
    text = " ".join(cleaned for cleaned, _ in kept)
    reason = find_fault(question, text)
    if reason:
        return reason
    return Answer(_answer_yes_no(question, sentences[0].text) + text, tuple(sentence for _, sentence in kept))


def find_fault(question: str, text: str) -> str | None:
    """Gives the reason why a text is no answer that can be trained on, or None."""
    words = count_words(text)
    asked = find_stems(question)
    num_shared = len(asked & find_stems(text))
    num_quotes = text.count('"')
    faults = {
        "answer_too_short": words < MIN_ANSWER_WORDS,
        "answer_starts_elsewhere": bool(POINTING_START.match(text)),
        "answer_rambles": len(LOOSE.findall(text)) > MAX_LOOSE_RATIO * words or num_quotes % 2 == 1 or num_quotes > 4,
        "answer_is_personal": len(FIRST_PERSON.findall(text)) > MAX_FIRST_PERSON_RATIO * words,
        "answer_off_topic": num_shared < max(1, MIN_SHARED_RATIO * len(asked)),
    }
    return next((reason for reason, is_broken in faults.items() if is_broken), None)


def _skip_replies(sentences: Sequence[Sentence]) -> Sequence[Sentence]:
    for index, sentence in enumerate(sentences):
        text = strip_lead(clean_speech(sentence.text))
        if text and not EMPTY_REPLY.match(text) and count_words(text) > 3:
            return sentences[index:]
    return ()


def _collect(sentences: Sequence[Sentence]) -> list[tuple[str, Sentence]]:
    kept: list[tuple[str, Sentence]] = []
    words = 0
    for sentence in sentences:
        text = clean_speech(sentence.text)
        text = text if kept else strip_lead(text)
        if not text:
            continue
        if "?" in text or CONVERSATION.search(text) or ANECDOTE.search(text):
            break
        if words + count_words(text) > MAX_ANSWER_WORDS:
            break
        words += count_words(text)
        kept.append((text if text[-1] in '.!"”' else text + ".", sentence))
    return _end_at_paragraph(kept)


def _end_at_paragraph(kept: list[tuple[str, Sentence]]) -> list[tuple[str, Sentence]]:
    words = 0
    best = len(kept)
    for index, (text, sentence) in enumerate(kept, 1):
        words += count_words(text)
        if sentence.ends_paragraph and words >= MIN_ANSWER_WORDS * 1.5:
            best = index
    return kept[:best]


def _answer_yes_no(question: str, first: str) -> str:
    """A yes or no that begins the reply to a yes-or-no question; everywhere else it is a filler."""
    match = YES.match(clean_speech(first))
    if not match or not YES_NO.match(question):
        return ""
    return "No. " if match[1].casefold() in ("no", "nope") else "Yes. "
