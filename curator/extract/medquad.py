"""Makes the answers of MedQuAD readable, which were scraped from pages.

The dataset (https://github.com/abachaa/MedQuAD) lost list layout, dashes, some apostrophes and ligatures, and kept the
navigation of the pages that its answers came from.
"""

import re

from curator.extract.lost_dashes import has_glued, restore_dashes
from curator.extract.medquad_advice import may_be_outdated
from curator.extract.sections import count_words

MIN_WORDS = 30
# Longer answers are whole booklets under one question.
MAX_WORDS = 450
# So many numbers in one sentence were cells of a table.
MAX_SENTENCE_NUMBERS = 8
_NAVIGATION = re.compile(
    r"^(?:\*?See (?:the )?Prono?unc?iation Guide|More on:|More information (?:about|is|on|and)"
    r"|For more (?:information|in-depth|detail)|Read more|Top of page|On this page|Frequently asked|Fact sheets?$"
    r"|Topics$|Vector information$|Booklets?$|This (?:information|content) is (?:not copyrighted|provided)|The NIDDK"
    r"|Content produced|See also|\*Case definitions|For (?:general )?questions about|Case Report|Case Definitions"
    r"|\*?See (?:For More|the |What|Your|Chapter)|You can use What|.*\b[Pp]lease see\b"
    r"|State Health Departments|How to Contact)",
    re.IGNORECASE,
)
_REFERS_AWAY = re.compile(
    r"https?://|\bwww\.|\bavailable (?:at|from|through)\b|NIDDK health topic|fact sheets?\b|1-800-|see the section|section titled|\bfound here\b"
    r"|\bbooklets?\b|\b(?:results? of|in|from) (?:the )?clinical trials?\b|\bunder evaluation\b|\bbeing sponsored\b"
)
_REFERS_BACK = re.compile(r"(?:These|This|Those|They|Such|Whether th|Another)\b")
SENTENCE_END = re.compile(r"(?<=[.!?])(?<!U\.S\.)\s+(?=[A-Z])")
_INLINE_BULLET = re.compile(r"\s{2,}-\s+(?=\S)")
_FOOTNOTE = re.compile(r"(?<=\d/\d\d\.)\d{1,2}(?=\s|$)|(?<=[A-Za-z]{2}[A-Za-z0-9][.,])\d{1,2}(?:[,-]\d{1,2})*(?=\s|$)")
# A ligature that was torn from its word: `diffi cult`, `fi lm`.
_LIGATURE = re.compile(
    r"\b((?:[a-z]{1,8})?(?:ffi|ffl)|fi|fl|ff|con(?:fi|fl)|magni(?:fi)|de(?:fi|fl)|re(?:fi|fl)|in(?:fl)) (?=[a-z])"
)
_LOST_APOSTROPHE = re.compile(
    r"\b(does|do|did|is|are|was|were|has|have|had|would|could|should|ca|wo)nt\b"
    r"|\b([Ww]oman|[Mm]an|[Cc]hild|body|[Pp]eople|[Cc]hildren|[Ww]omen|Crohn|Hashimoto|Cushing|Addison|Peyronie"
    r"|Hirschsprung)s(?= [a-z])"
)
# A heading with nothing before it repeats the question; one with nothing behind it lost its text.
_EDGE_HEADINGS = re.compile(r"\A(?:[^\n.!?:]{1,60}\n\n)+(?!- )|(?:\n\n[^\n.!?:]{1,60})+\Z")
# `a health care providers office`, `the patients blood`: one of them, so an apostrophe is missing.
_LOST_OWNER = re.compile(
    r"\b((?:an?|each|every|another)(?: \w+){0,2} (?:patient|person|mother|provider|doctor|infant|parent)"
    r"|(?:the|your|his|her) (?:patient|person|mother|doctor)|\ba mother)s (?=(?:age|blood|body|bodies|diet|eating|genes"
    r"|health|heart|home|immune|kidneys?|life|medical|milk|offices?|risk|skin|stool|symptoms|treatment|urine|use|weight)\b)"
    # A sentence that begins with one, and a place that has somebody (`the clinics have` is a plural).
    r"|\b((?:An? )(?:person|patient|child|woman|man)|(?:[Tt]he|[Aa]|[Yy]our) clinic(?=s (?:renal|staff|dietitian)))s (?=[a-z]+)"
)
# A hyphen with a space behind it, unless it waits for its other half (`low- and high-fat`); one that was lost.
_TORN_HYPHEN = re.compile(r"(?<=[a-z])- (?=[a-z])(?!(?:and|or|to)\b)")
_UNIT_HYPHEN = re.compile(r"(?<=\d)(?=(?:ounce|cup|gram|minute|hour|day|week|month|year)\b)")
_LOST_LETTERS = {
    "Schnlein": "Schönlein", "Sjgrens": "Sjögren's", "Sjgren": "Sjögren", "Behet": "Behçet", "Mntriers": "Ménétrier's", "Mntrier": "Ménétrier", "Mnire": "Ménière",
    "Barr syndrome": "Barré syndrome", "pured": "puréed", "Pured": "Puréed", "babys": "baby's", "travelers diarrhea": "traveler's diarrhea",
    "doctors guidance": "doctor's guidance", "persons insulin": "person's insulin", "mothers womb": "mother's womb",
    "mothers placenta": "mother's placenta", "youll": "you'll", "theyll": "they'll", "youre": "you're",
    "theyre": "they're", "youve": "you've", "Dont": "Don't", "in flammation": "inflammation", "Bergers disease": "Berger's disease", "immune systems normal": "immune system's normal", "livers size": "liver's size",
    "pediatricians offices": "pediatricians' offices", "doctors offices": "doctors' offices",
}  # fmt: skip
_LOST_LETTER = re.compile(rf"\b(?:{'|'.join(_LOST_LETTERS)})\b")
# What a page had beside its text: other pages, forms, files, phone numbers; without them the answer has a hole.
_POINTS_OUT = re.compile(
    r"\b(?:already|previously|as) described (?:above|earlier|below)?|\bdescribed (?:above|earlier|below)\b|\bItem [A-Z]\b"
    r"|\((?:PDF|see )|\bPDF\b|[Cc]ase [Dd]efinition|\b\d{3}[ )-]+\d{3}-\d{4}\b|\b(?:figure|table|chart|diagram) (?:above|below|\d)"
    r"|\b(?:suggestions|tips|steps|guidelines) below\b|\b[Ff]igure \d|\bfollowing (?:chart|table|figure|link|diagram)|\b(?:see|in) the (?:figure|table|chart|illustration)\b|[Cc]lick\b|Submit Specimens|CDC(?:'s)? (?:policy|scientist)"
)
# Medicines that were withdrawn after the pages were written.
_WITHDRAWN = re.compile(r"\b(?:[Rr]anitidine|Zantac|[Cc]isapride|Propulsid|[Tt]egaserod|Zelnorm|[Tt]roglitazone)\b")
_NUMBER = re.compile(r"\d+(?:[./]\d+)?")
# A heading that ran into its paragraph: `Genetic Diseases Each cell contains`.
_GLUED_HEADING = re.compile(
    r"^(?:(?:[A-Z][a-z]+|and|of|in|the) ){2,6}(?:Each|The|An?|In|When|If|This|Some|Many|Most|People) [a-z]",
    re.MULTILINE,
)
# An item that only announces those behind it has no stop at its end.
_ANNOUNCES = re.compile(r"^- .*[^.!?;,]$")
_LONE_ITEM = re.compile(r"(?:\A|\n\n|\n)- [^\n]+\n\n- |:\n\n(?!- )|(?:\A|\n)- [^\n]*:\n- ")
# Such as `- Nutrition for Adults with Early Chronic Kidney Disease`, behind a full stop.
_LIST_OF_TITLES = re.compile(r"(?<=[.])\n\n- (?=[^\n ]* [^\n]* [A-Z])[A-Z][^\n.,:]*(?:\n- [A-Z][^\n.,]*)*(?=\n\n|\Z)")
_LAST_SENTENCE = re.compile(r"(?:\A|(?<=[.!?]\s)|(?<=\n))[^.!?\n]*:\Z")
# What says no more than that nothing is known, or to ask somebody.
_NO_ADVICE = re.compile(
    r"\b(?:not (?:found|been shown|been proven) |no (?:specific|special) diet|play(?:s)? a (?:part|role) in|do not need to eat a"
    r"|what diet is right for|talk (?:with|to) (?:a|an|his|her|their|your)|can (?:give|provide) (?:more )?information"
    r"|discuss (?:their|your|the)|(?:should|may need to) (?:consult|talk|ask)|will (?:help|assist)|may recommend changing|is important for)",
    re.IGNORECASE,
)
MIN_ADVICE_WORDS = 30


def tidy_answer(text: str) -> str:
    """Gives the answer with its lists as lists and without what leads away from it."""
    paragraphs: list[str] = []
    for raw in re.split(r"\n\s*\n", text.replace("\r", "")):
        lines = _read_lines(raw)
        if lines:
            paragraphs.append("\n".join(lines))
    return _join(paragraphs)


def find_damage(answer: str) -> str | None:
    """Gives why a tidy answer cannot be learnt from, None if it can.

    `damaged_text`: a list or a table fell apart. `points_away`: it speaks of what is not there. `outdated`: it names a
    medicine that was withdrawn, or says what guidelines change. `no_advice`: it says that nothing is known, or to ask
    somebody, and little else.
    """
    if _POINTS_OUT.search(answer):
        return "points_away"
    if _WITHDRAWN.search(answer) or may_be_outdated(answer):
        return "outdated"
    sentences = [sentence for line in answer.split("\n") for sentence in SENTENCE_END.split(line)]
    is_table = any(len(_NUMBER.findall(sentence)) > MAX_SENTENCE_NUMBERS for sentence in sentences)
    is_damaged = is_table or has_glued(answer) or _LONE_ITEM.search(answer) or _GLUED_HEADING.search(answer)
    if is_damaged:
        return "damaged_text"
    advice = [sentence for sentence in sentences if not _NO_ADVICE.search(sentence)]
    is_empty = len(advice) < len(sentences) and sum(map(count_words, advice)) < MIN_ADVICE_WORDS
    return "no_advice" if is_empty else None


def _read_lines(paragraph: str) -> list[str]:
    lines: list[str] = []
    for raw in paragraph.split("\n"):
        parts = _INLINE_BULLET.split(raw.strip())
        is_list = parts[0].startswith("- ")
        for number, part in enumerate(parts):
            text = repair(part.removeprefix("- ").strip())
            text = _drop_references(text)
            if count_words(text) and text != "-":
                lines.append(f"- {text}" if is_list or number else text)
    return _nest(lines)


def _nest(lines: list[str]) -> list[str]:
    """Sets the items of a list within a list in: small first letters behind an item that announces them.

    The inner list ends at the next item with a capital.
    """
    nested: list[str] = []
    is_inner = False
    for line in lines:
        is_small = line[2:3].islower()
        if is_small and not is_inner and nested and _ANNOUNCES.search(nested[-1]) and nested[-1][2:3].isupper():
            nested[-1] = f"{nested[-1].rstrip(': ')}:"
            is_inner = True
        is_inner = is_inner and is_small
        nested.append(f"  {line}" if is_inner else line)
    return nested


def _drop_references(text: str) -> str:
    """Leaves out the sentences that lead away, and those behind them that speak of what was in them."""
    kept: list[str] = []
    is_after_gap = False
    for sentence in SENTENCE_END.split(text):
        leads_away = bool(_NAVIGATION.match(sentence) or _REFERS_AWAY.search(sentence))
        is_after_gap = leads_away or (is_after_gap and _REFERS_BACK.match(sentence) is not None)
        if not is_after_gap:
            kept.append(sentence)
    return " ".join(kept)


def repair(text: str) -> str:
    """Gives a line with its dashes, hyphens, apostrophes and letters back and without footnote numbers."""
    text = re.sub(r"(?<=\w)\*(?=\s)", "", re.sub(r"\s+", " ", text)).replace(" ,", ",")
    text = _FOOTNOTE.sub("", _LIGATURE.sub(r"\1", text))
    text = _UNIT_HYPHEN.sub("-", _TORN_HYPHEN.sub("-", text))
    text = _LOST_LETTER.sub(lambda match: _LOST_LETTERS[match[0]], restore_dashes(text))
    text = _LOST_OWNER.sub(lambda match: f"{match[1] or match[2]}'s ", text)
    return _LOST_APOSTROPHE.sub(lambda match: f"{match[1]}n't" if match[1] else f"{match[2]}'s", text)


def _join(paragraphs: list[str]) -> str:
    """Puts a list close to what announces it; short lines without a stop are the headings of the old page."""
    text = ""
    for paragraph in paragraphs:
        is_list = paragraph.startswith("- ")
        if is_list and text and not text.endswith((".", "\n")) and "\n- " not in text.rsplit("\n\n", 1)[-1]:
            text = f"{text.rstrip(':, ')}:\n{paragraph}"
        else:
            text = f"{text}\n\n{paragraph}" if text else paragraph
    # Titles of other pages between the text; then, an announcement at the end that lost its list.
    text = _LIST_OF_TITLES.sub("", text)
    return _EDGE_HEADINGS.sub("", _LAST_SENTENCE.sub("", _EDGE_HEADINGS.sub("", text).strip()).strip()).strip()
