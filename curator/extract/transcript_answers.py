"""Which part of what is said after a question can be trained on as its answer."""

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

from curator.extract.transcript_phrases import CONNECTORS, compile_anywhere, compile_start, join_phrases
from curator.extract.transcript_text import capitalise, clean_speech, count_words, find_stems, strip_lead
from curator.extract.transcript_turns import Sentence

MIN_ANSWER_WORDS = 40
MAX_ANSWER_WORDS = 150

EMPTY_REPLY = re.compile(rf"^(?:{join_phrases('answer.empty')})\b[^.?!]*[.!]?$", re.IGNORECASE)
STARTS_ELSEWHERE = compile_start("answer.starts_elsewhere")
CONVERSATION = compile_anywhere("answer.conversation")
ANECDOTE = compile_anywhere("answer.anecdote")
LOOSE = compile_anywhere("answer.loose")
SHIFT = compile_start("answer.shift", after=CONNECTORS)
LINKED = compile_start("answer.linked", after=CONNECTORS)
DIRECT = compile_start("answer.direct")
INSTRUCTION = compile_start("answer.instructions")
LISTING = compile_anywhere("answer.listing")
LISTED = compile_start("answer.listed", after=CONNECTORS)
# Generic `I` reads badly in an answer to someone else; opinions (`I think`, `I'd use`) do not.
SPEAKER = re.compile(r"\bI(?:(?=[’'](?!d\b))|(?= (?!think|would|believe|recommend|suggest)))|\b(?:my|me|myself)\b")
COMPANY = re.compile(
    r"\b(?:our|us) (?:team|show|company|product|client|library|api)\b"
    r"|\bwe (?:decided|built|launched|ship|support|released|wanted|chose|provide|offer|send)\b",
    re.IGNORECASE,
)
# `..., Adam, ...`: someone in the room is spoken to.
VOCATIVE = re.compile(r"(?:^|, )[A-Z][a-z]+, (?=[a-z])|, [A-Z][a-z]+[.!]$")
QUOTED = re.compile(r"[\"“][^\"”]*[\"”]")
# Broken off (`so the.`), begun again (`it is - it is`), or interrupted by oneself (` - well, `).
UNFINISHED = re.compile(
    r"\b(?:the|a|an|so|and|but|or|to|of|because|is|are|with|for|in|my|your|which|like|if|be)[.!]$"
    r"|\b(\w+ \w+)[^.]* - [^.]*\b\1 |\b(\w[\w-]*) - \2\b|[a-z] [.] | - (?:[’']?cause|because|well|no|like|actually|so|I)\b",
    re.IGNORECASE,
)
# Sentences that go on about the same thing without its name.
STANDS_FOR = re.compile(r"[.!] (?:And |But |So )?(?:it|they|what (?:it|this) does|these)\b", re.IGNORECASE)
INTERJECTION = re.compile(r"^(?:(?:so|and|but)\s+)?(?:yeah|yep|yes|okay|well|oh|right|alright)\b[,\s]+", re.IGNORECASE)
AMOUNT = re.compile(r"^how (?:much|many|long|often|far|heavy|fast)\b", re.IGNORECASE)
FIRST_PERSON = re.compile(r"\b(?:I|I[’'](?:m|ve|d|ll)|my|me|myself)\b")
HEDGE = re.compile(r"^it (?:really )?depends\b", re.IGNORECASE)
YES_NO = re.compile(r"^(?:is|are|can|could|should|do|does|will|would)\b", re.IGNORECASE)
YES = re.compile(
    r"^(?:(?:well|so|oh|and)\b[\s,]*)*(yes|yeah|yep|absolutely|exactly|precisely|definitely|sure|no|nope)\b",
    re.IGNORECASE,
)

MAX_REMARK_WORDS = 12
MAX_LOOSE_RATIO = 0.07
MAX_FIRST_PERSON_RATIO = 0.04
MIN_SHARED_RATIO = 0.2


@dataclass(frozen=True)
class Answer:
    """A piece of speech that answers a question.

    Attributes:
        text: Cleaned, 40 to 150 words.
        sentences: The raw sentences that it is made of.
    """

    text: str
    sentences: tuple[Sentence, ...]


def cut_answer(
    question: str, sentences: Sequence[Sentence], begins: Container[Sentence] = (), min_mentions: int = 0
) -> Answer | str:
    """Gives the answer with which a stretch of speech begins, or a reason why it is none.

    Empty replies (`great question`) before it are left out; it ends before talk about the conversation, a story of the
    speaker's own, or another question, and at a paragraph where one ends within the limit.

    Args:
        question: What is asked.
        sentences: What is said after it.
        begins: Sentences with which something new begins; an answer ends before them.
        min_mentions: How often it must speak of what is asked about.
    """
    spoken = _skip_replies(sentences)
    kept = _collect(spoken, find_stems(question), begins)
    if not kept:
        return "answer_breaks_off" if spoken else "answer_empty"
    text = " ".join(cleaned for cleaned, _ in kept)
    reason = find_fault(question, text, min_mentions)
    if reason:
        return reason
    return Answer(_answer_yes_no(question, sentences[0].text) + text, tuple(sentence for _, sentence in kept))


def find_fault(question: str, text: str, min_mentions: int = 0) -> str | None:
    """Gives the reason why a text is no answer that can be trained on, or None."""
    words = count_words(text)
    asked = find_stems(question)
    num_shared = len(asked & find_stems(text))
    if AMOUNT.match(question) and re.search(r"\d", text[:120]):
        num_shared = len(asked)  # a number answers `how much` without naming the thing again
    if not num_shared and (DIRECT.match(text) or INSTRUCTION.match(text)):
        num_shared = len(asked)  # `grab the bar` answers `how do I set up` in other words
    if _count_mentions(asked, text) < min_mentions:
        num_shared = 0
    num_quotes = text.count('"')
    faults = {
        "answer_too_short": words < MIN_ANSWER_WORDS,
        "answer_starts_elsewhere": bool(STARTS_ELSEWHERE.match(text)),
        "answer_rambles": len(LOOSE.findall(text)) > MAX_LOOSE_RATIO * words or num_quotes % 2 == 1 or num_quotes > 4,
        "answer_is_personal": len(FIRST_PERSON.findall(text)) > MAX_FIRST_PERSON_RATIO * words,
        "answer_off_topic": num_shared < max(1, MIN_SHARED_RATIO * len(asked)),
    }
    return next((reason for reason, is_broken in faults.items() if is_broken), None)


def _count_mentions(stems: set[str], text: str) -> int:
    """Counts words of these stems and sentences that begin with what stands for them."""
    return sum(bool(stems & find_stems(word)) for word in text.split()) + len(STANDS_FOR.findall(text))


def _skip_replies(sentences: Sequence[Sentence]) -> Sequence[Sentence]:
    """Leaves out what comes before the answer itself: praise, a yes, and up to two short remarks about oneself."""
    num_remarks = 0
    for index, sentence in enumerate(sentences):
        text = strip_lead(clean_speech(sentence.text))
        if not text or EMPTY_REPLY.match(text) or count_words(text) <= 3:
            continue
        is_remark = num_remarks < 2 and count_words(text) <= MAX_REMARK_WORDS and "?" not in text
        if not (is_remark and (HEDGE.match(text) or _breaks_off(text, has_begun=False))):
            return sentences[index:]
        num_remarks += 1
    return ()


def _collect(sentences: Sequence[Sentence], stems: set[str], begins: Container[Sentence]) -> list[tuple[str, Sentence]]:
    """Gives the cleaned sentences that belong together; one that no later one ties to the rest is left out at the end.

    Args:
        sentences: What is said.
        stems: What the question is about.
        begins: Sentences with which something new begins.
    """
    kept: list[tuple[str, Sentence]] = []
    num_tied = words = 0
    is_listing = False
    for sentence in sentences:
        text = clean_speech(sentence.text)
        text = INTERJECTION.sub("", text) if kept else strip_lead(text)
        if count_words(text) < 3:
            continue
        if kept and sentence in begins:
            break
        words += count_words(text)
        is_tied = not kept or bool(
            LINKED.match(text)
            or INSTRUCTION.match(text)
            or stems & find_stems(text)
            or (is_listing and LISTED.match(text))
        )
        if words > MAX_ANSWER_WORDS or _breaks_off(text, bool(kept)) or not (is_tied or num_tied == len(kept)):
            break
        kept.append((capitalise(text) if text[-1] in '.!"”' else capitalise(text) + ".", sentence))
        stems = stems | find_stems(text) if is_tied else stems
        num_tied = len(kept) if is_tied else num_tied
        is_listing = is_listing or bool(LISTING.search(text))
    return _end_at_paragraph(kept[:num_tied])


def _breaks_off(text: str, has_begun: bool) -> bool:
    """Tells whether an answer ends before this sentence: another question, topic, story, or talk about the talk."""
    if "?" in text or any(p.search(text) for p in (CONVERSATION, ANECDOTE, COMPANY, VOCATIVE, UNFINISHED)):
        return True
    return bool(SPEAKER.search(QUOTED.sub("", text)) or (has_begun and SHIFT.match(text)))


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
