"""Spoken English as text: sentences, light cleaning of fillers, and the words that carry the topic."""

import re
from collections.abc import Iterator

from curator.extract.transcript_phrases import join_phrases, read_words

SENTENCE_END = re.compile(r"(?<=[.?!…])[\"”’')\]]*\s+(?=[\"“‘'(\[]*[A-Z0-9])")
ABBREVIATION = re.compile(
    r"(?:\b(?:Dr|Mr|Mrs|Ms|Prof|St|vs|etc|approx|No|Fig|Vol|Psy|Ph|Jr|Sr)|\b[a-z]\.[a-z]|\b[A-Z]|\b[A-Z]\.[A-Z])\.$"
)
BRACKETS = re.compile(
    r"\\?\[[^\]]*\\?\]|\((?:laughs|laughter|applause|music|crosstalk|inaudible)[^)]*\)", re.IGNORECASE
)
TAG_QUESTION = re.compile(rf",?\s*\b(?:{join_phrases('speech.tag_questions')})\?(?=[\"”]?(?:\s|$))", re.IGNORECASE)
FILLERS = re.compile(
    rf"(?:,\s*)?\b(?:{join_phrases('speech.fillers')})\b(?:\s*,|\s*[-–—]+)?"
    rf"|,\s*(?:{join_phrases('speech.fillers_between_commas')})\s*,",
    re.IGNORECASE,
)
HEDGES = re.compile(
    rf"\b({join_phrases('speech.before_kind_of')}) (?:sort|kind) of\b"
    rf"|\b(?:sort|kind) of (?!(?:{join_phrases('speech.after_kind_of')})\b)",
    re.IGNORECASE,
)
SPELLINGS = (
    (re.compile(r"\bgonna\b"), "going to"),
    (re.compile(r"\bwanna\b"), "want to"),
    (re.compile(r"(?:[’']ve|\bhave)? ?\bgotta\b"), " have to"),
    (re.compile(r"\bkinda\s+"), ""),
    (re.compile(r"(?<!\w)[’']cause\b"), "because"),
    (re.compile(r"(?<!\w)[’']em\b"), "them"),
)
REPEATED = re.compile(r"\b((?:[\w’']+ ){0,3}[\w’']+)(?:\s*(?:-{1,2}|–|—|\.{3}|…|,)\s*|\s+)(?=\1\b)", re.IGNORECASE)
FALSE_START = re.compile(r"\b[\w’']+(?: [\w’']+)?\s*(?:--|—)\s+(?=(?:I|it|it's|you|we|they|there|the|that)\b)")
LEAD = re.compile(rf"^(?:(?:{join_phrases('speech.leads')})\b[\s,.!…–—-]*)+", re.IGNORECASE)
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
STOP_WORDS = read_words("speech.stop_words")
STEM_LENGTH = 5
MAX_QUOTING = 300
MAX_SENTENCE_LETTERS = 2_000
"""Bounds the work on text that is all initials or one open quotation."""


def split_sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yields `(start, end)` of the sentences of punctuated text; text without punctuation is one sentence.

    A quotation stays in one piece with the sentence around it, unless its end is 300 letters away.
    """
    start = 0
    for match in SENTENCE_END.finditer(text):
        before = text[start : match.start()]
        closes = match[0].rstrip()
        is_quoting = (before + closes).count('"') % 2 == 1 and '"' in text[match.end() : start + MAX_QUOTING]
        if len(before) <= MAX_SENTENCE_LETTERS and (is_quoting or ABBREVIATION.search(before[-12:])):
            continue
        yield start, match.start() + len(closes)
        start = match.end()
    if text[start:].strip():
        yield start, len(text)


def clean_speech(text: str) -> str:
    """Gives speech as it would be written down with care: fillers, stutters and stage directions left out."""
    for pattern, spelling in SPELLINGS:
        text = pattern.sub(spelling, text)
    text = BRACKETS.sub(" ", re.sub(r"\s*--+\s*", " -- ", text))
    text = HEDGES.sub(lambda match: match[0] if match[1] else "", TAG_QUESTION.sub(".", text))
    text = FALSE_START.sub("", REPEATED.sub("", FILLERS.sub("", text)))
    text = re.sub(r"\s*(?:\.{2,}|…)\s*(?=[a-z])", ", ", text)
    text = re.sub(r"(?:\.{2,}|…)", ".", text)
    text = re.sub(r"\s+--\s+", " - ", text)
    text = re.sub(r"\s+([,.;:?!])", r"\1", re.sub(r"\s+", " ", text)).strip(" ,-–—")
    return capitalise(re.sub(r"([,.;:?!])[,.;:]+", r"\1", text))


def strip_lead(text: str) -> str:
    """Gives a sentence without the words that only connect it to what was said before (`Well, so, yeah`)."""
    rest = LEAD.sub("", text)
    return capitalise(rest) if WORD.search(rest) else ""


def capitalise(text: str) -> str:
    """Gives text with its first letter in upper case."""
    for index, letter in enumerate(text):
        if letter.isalpha():
            return text[:index] + letter.upper() + text[index + 1 :]
        if letter.isdigit():
            break
    return text


def count_words(text: str) -> int:
    """Gives the number of words between spaces."""
    return len(text.split())


def find_stems(text: str) -> set[str]:
    """Gives the first letters of the words that carry a topic; enough to see that two texts are about one thing."""
    words = (word.casefold().replace("’", "'").partition("'")[0] for word in WORD.findall(text))
    return {word.removesuffix("s")[:STEM_LENGTH] for word in words if len(word) > 2 and word not in STOP_WORDS}


def is_english(text: str) -> bool:
    """Tells whether a text of unknown language reads like English: at least 30 % are its most common words."""
    words = [word.casefold() for word in WORD.findall(text[:20_000])]
    return bool(words) and sum(word in STOP_WORDS for word in words) >= 0.3 * len(words)
