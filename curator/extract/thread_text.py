"""Reads the text of posts and comments: what belongs to it, whether it asks, answers or only thanks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

QUESTION_MARKS = ("?", "؟", "？")

GONE = frozenset({"[deleted]", "[removed]", "[ removed by reddit ]", "[deleted by user]"})

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_INVISIBLE = re.compile(r"&(?:#x200[bB]|#8203|nbsp);|[\u200b\u200c\u2060\ufeff]")
_MANY_BREAKS = re.compile(r"\n[ \t]*\n\s*\n")
_QUOTE_LINE = re.compile(r"^\s{0,3}>(?!!)")
_ELISION = re.compile(r"\[?(?:\.\.\.+|…)\]?")

# "EDIT:", "**Edit 2** -", "Update: ", and bare "EDIT" in capitals; not "Edit your diary every day".
_EDIT_START = re.compile(
    r"^\W{0,6}(?:(?i:(?:quick|small|minor|last|final|second)\s+)?(?i:edit(?:ed)?|eta|updated?)"
    r"\s*(?:#?\d+|\([^)\n]{0,40}\))?\W{0,4}?[:;\-–—*]|(?:EDIT(?:ED)?|ETA|UPDATE)\b)"
)
_EDIT_ASIDE = re.compile(r"\(\s*edit(?:ed)?\b[:\s][^()\n]*\)", re.IGNORECASE)
_EDIT_TAIL = re.compile(r"(?<=[.!?)\]])[ \t]+\W{0,4}edit\s*\d*\W{0,4}?:.*$", re.IGNORECASE | re.MULTILINE)

_RULE_LINE = re.compile(r"^\s*(?:-{2,}|_{2,}|—+|\*{3,}|~{2,})\s*$")
_SIGNATURE_LINE = re.compile(
    r"^\s*(?:[-–—~]{1,2}\s?[A-Z][\w.]*(?:\s[A-Z][\w.]*)?"
    r"|(?i:sent from my .{1,40})"
    r"|(?i:cheers|regards|kind regards|best wishes|yours|sincerely),?\s+[A-Z]\w*\.?)\s*$"
)
LONGEST_SIGNATURE_WORDS = 15

_ASKING = re.compile(
    r"[?؟？]|^\W*(?:هل|كيف|لماذا|ما|ماذا|متى|أين|كم|أي|من)\b|^\W*(?:what|why|when|where|which|who|how|is|are|am|can|could|should|would|does|do|did|has|have|will)\b"
    r"|\b(?:any|need|want|seeking|looking for|appreciate)\b.{0,30}\b(?:advice|help|tips?|suggestions?|feedback)\b"
    r"|\b(?:form check|critique my|rate my|help me|please help|advice (?:wanted|needed|please))\b",
    re.IGNORECASE,
)
_TELLING_TITLE = re.compile(
    r"^\W*(?:\[?\s*(?:guide|psa|ama|iama|tutorial|megathread|progress|meta|update|tifu|til)\b"
    r"|(?:how|why|what|where|when)\s+(?:i|we|to|my)\b(?!.*[?؟？])|my\s+\d+\b|i\s+am\b.*\bama\b)|\bama\b\s*[!.]?$",
    re.IGNORECASE,
)
_GATHERING_TITLE = re.compile(
    r"\b(?:daily|weekly|monthly|mega\s?-?thread|simple questions?|stupid questions?|moronic monday|discussion thread"
    r"|questions? thread|q\s?&\s?a)\b",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"\b(?:thank(?:s| you)|thx|ty|cheers|appreciate(?: it| that| this)?|that (?:worked|helped|helps|fixed|did it)"
    r"|this (?:worked|helped|helps|fixed)|it worked|worked (?:for me|perfectly|great)|makes (?:a lot of )?sense"
    r"|will (?:try|do)|solved|great (?:advice|answer)|exactly what i needed|much clearer|good to know"
    r"|شكرا|شكرًا|أشكرك|مشكور|نجحت|سأجرب|أفادني|هذا ما كنت أحتاجه)\b",
    re.IGNORECASE,
)
_NO_THANKS = re.compile(
    r"\b(?:no thanks|thanks for nothing|(?:did ?n[o']t|doesn[o']t|not) (?:work|help)\w*)\b", re.IGNORECASE
)
_BOT_TALK = ("i am a bot", "i'm a bot", "i’m a bot", "beep boop", "beep, boop", "was performed automatically")
_SOMEONE = re.compile(r"\b(?:you|your|you're|yours|op|op's|u/\w+)\b", re.IGNORECASE)
# Words that point at something said before; "it" and "that" within a sentence mostly do not.
_POINTING = re.compile(
    r"\b(?:this|these|those|he|she|him|her|his|they|them|their)\b|\bthat(?:'s|\s+(?:is|was|one|guy|thing))\b"
    r"|(?:^|[.!?]\s+|\n\s*)\W*(?:that|it|its|it's|so|but|and|or|like|because|yeah|yes|no|nah|what\?|why\?)(?!\w)",
    re.IGNORECASE,
)
_LINK = re.compile(r"\[([^\]\n]*)\]\([^)\s]*\)|https?://\S+|\bwww\.\S+")
_SENTENCE_END = re.compile(r"(?<=[.!?؟？])\s+|\n+")
LONGEST_THANKS_WORDS = 60
FULL_QUESTION_WORDS = 5


@dataclass(frozen=True)
class CleanText:
    """Text without what does not belong to it, and the names of what was cut (`edit`, `quote`, `signature`)."""

    text: str
    cuts: frozenset[str] = frozenset()


def clean_text(text: str, quotable: Sequence[str] = ()) -> CleanText:
    """Gives the text without quotes of what it replies to, without edits, signatures and invisible characters.

    Args:
        text: A comment, or the text of a post.
        quotable: Texts that it may quote: the parent and the post. A quote of anything else stays.
    """
    lines = _INVISIBLE.sub(" ", text).replace("\r\n", "\n").strip().split("\n")
    kept, cuts = _cut_quotes(lines, quotable), set[str]()
    if len(kept) < len(lines):
        cuts.add("quote")
    without_edits = _cut_edits(kept)
    if without_edits != "\n".join(kept):
        cuts.add("edit")
    signed = without_edits.strip().split("\n")
    unsigned = _cut_signature(signed)
    if len(unsigned) < len(signed):
        cuts.add("signature")
    cleaned = _MANY_BREAKS.sub("\n\n", "\n".join(line.rstrip() for line in unsigned)).strip()
    return CleanText(cleaned, frozenset(cuts))


def count_words(text: str) -> int:
    """Gives the number of words; the address of a link is none."""
    return len(_WORD.findall(drop_links(text) if "//" in text or "www." in text else text))


def is_asking(text: str) -> bool:
    """True where a text asks for something."""
    return bool(_ASKING.search(text))


def asks_in_full(text: str) -> bool:
    """True where a sentence of five words or more is a question."""
    return any(_is_question(part) and count_words(part) >= FULL_QUESTION_WORDS for part in _SENTENCE_END.split(text))


def is_telling_title(title: str) -> bool:
    """True where a title announces a guide, a report or an AMA: what follows it answers nothing."""
    return bool(_TELLING_TITLE.search(title))


def is_gathering_title(title: str) -> bool:
    """True where a title gathers questions of others, such as `Daily Simple Questions Thread`."""
    return bool(_GATHERING_TITLE.search(title))


def is_only_asking(text: str) -> bool:
    """True where every sentence is a question: it asks back and answers nothing."""
    sentences = [part for part in _SENTENCE_END.split(text.strip()) if count_words(part)]
    return bool(sentences) and all(_is_question(part) for part in sentences)


def is_confirmation(text: str) -> bool:
    """True where the asker says that an answer helped."""
    return count_words(text) <= LONGEST_THANKS_WORDS and bool(_THANKS.search(text)) and not _NO_THANKS.search(text)


def is_bot_talk(text: str) -> bool:
    """True where a text says that a program wrote it."""
    plain = text.casefold().replace("^", "")  # bots whisper in superscript
    return any(phrase in plain for phrase in _BOT_TALK)


def stands_alone(text: str) -> bool:
    """True where a text neither speaks to a person nor points at something that only the thread knows."""
    return not _SOMEONE.search(text) and not _POINTING.search(text)


def drop_links(text: str) -> str:
    """Gives the text without addresses; the words of a link stay."""
    return _LINK.sub(lambda match: match[1] or "", text)


def _is_question(sentence: str) -> bool:
    return sentence.rstrip(" \"')*_").endswith(QUESTION_MARKS)


def _cut_quotes(lines: list[str], quotable: Sequence[str]) -> list[str]:
    if not quotable or not any(_QUOTE_LINE.match(line) for line in lines):
        return lines
    known = [_squeeze(text) for text in quotable]
    return [line for line in lines if not (_QUOTE_LINE.match(line) and _is_quoted(line, known))]


def _is_quoted(line: str, known: list[str]) -> bool:
    pieces = [_squeeze(piece) for piece in _ELISION.split(line)]
    return all(any(piece in text for text in known) for piece in pieces if piece)


def _squeeze(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


def _cut_edits(lines: list[str]) -> str:
    """Cuts an edit that opens a text up to its next paragraph, and any later one with all that follows it."""
    starts = [number for number, line in enumerate(lines) if _EDIT_START.match(line)]
    if starts and not any(line.strip() for line in lines[: starts[0]]):
        after = next((n for n in range(starts[0], len(lines)) if not lines[n].strip()), len(lines))
        return _cut_edits(lines[after:]) if after < len(lines) else ""
    kept = lines[: starts[0]] if starts else lines
    text = "\n".join(kept)
    return _EDIT_TAIL.sub("", _EDIT_ASIDE.sub("", text)) if "edit" in text.casefold() else text


def _cut_signature(lines: list[str]) -> list[str]:
    last = len(lines) - 1
    for number in range(last, max(last - 4, 0), -1):
        if _RULE_LINE.match(lines[number]):
            tail = "\n".join(lines[number + 1 :])
            return lines[:number] if count_words(tail) <= LONGEST_SIGNATURE_WORDS else lines
    if last < 1 or not _SIGNATURE_LINE.match(lines[-1]):
        return lines
    before = next((line.strip() for line in reversed(lines[:-1]) if line.strip()), "")
    # "- Rows" below "- Squats" or "Do these:" is an item of a list.
    return lines[:-1] if before.endswith(tuple(".!?)…")) or not lines[-1].lstrip().startswith("-") else lines
