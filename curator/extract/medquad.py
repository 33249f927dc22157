"""Makes MedQuAD pairs readable: questions that were filled into forms, answers that were scraped from pages.

The dataset (https://github.com/abachaa/MedQuAD) asks `What is (are) Gallstones ?`; its answers lost their list
layout, some apostrophes and ligatures, and kept the navigation of the pages that they came from.
"""

import re

from curator.extract.sections import count_words

MIN_WORDS = 20
# Longer answers are whole booklets under one question.
MAX_WORDS = 450
# An answer to `what is it` names the thing near its beginning; endings differ (`gallstone`, `gallstones`).
OPENING_CHARS = 600
STEM_CHARS = 6
MIN_NAME_CHARS = 4


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NAVIGATION = re.compile(
    r"^(?:\*?See (?:the )?Pronounc?iation Guide|More on:|More information (?:about|is|on|and)"
    r"|For more (?:information|in-depth|detail)|Read more|Top of page|On this page|Frequently asked|Fact sheets?$"
    r"|Topics$|Vector information$|Booklets?$|This (?:information|content) is (?:not copyrighted|provided)|The NIDDK"
    r"|Content produced|See also|\*Case definitions|For (?:general )?questions about|Case Report|Case Definitions"
    r"|State Health Departments|How to Contact)",
    re.IGNORECASE,
)
_REFERS_AWAY = re.compile(
    r"https?://|\bwww\.|\bavailable at\b|NIDDK health topic|fact sheet,|1-800-|see the section|section titled"
    r"|\bbooklet\b"
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_INLINE_BULLET = re.compile(r"\s{2,}-\s+(?=\S)")
_FOOTNOTE = re.compile(r"(?<=[a-z]{2}[a-z0-9][.,])\d{1,2}(?:[,-]\d{1,2})*(?=\s|$)")
# A ligature that was torn from its word: `diffi cult`, `fi lm`.
_LIGATURE = re.compile(
    r"\b((?:[a-z]{1,8})?(?:ffi|ffl)|fi|fl|ff|con(?:fi|fl)|de(?:fi|fl)|re(?:fi|fl)|in(?:fl)) (?=[a-z])"
)
_LOST_APOSTROPHE = re.compile(
    r"\b(does|do|did|is|are|was|were|has|have|had|would|could|should|ca|wo)nt\b"
    r"|\b(woman|man|child|body|Crohn|Hashimoto|Cushing|Addison|Peyronie|Hirschsprung)s(?= [a-z])"
)
# A heading with nothing before it repeats the question; one with nothing behind it lost its text.
_EDGE_HEADINGS = re.compile(r"\A(?:[^\n.!?:]{1,60}\n\n)+(?!- )|(?:\n\n[^\n.!?:]{1,60})+\Z")
# `a health care providers office`, `the patients blood`: one of them, so an apostrophe is missing.
_LOST_OWNER = re.compile(
    r"\b((?:an?|each|every|another)(?: \w+){0,2} (?:patient|person|mother|provider|doctor|infant|parent)"
    r"|(?:the|your|his|her) (?:patient|person|mother|doctor))s (?=(?:age|blood|body|bodies|diet|genes|health|heart|home"
    r"|immune|kidneys?|life|medical|milk|office|risk|skin|stool|symptoms|urine|weight)\b)"
)
_LOWER_WORD = re.compile(r"(?<![\w'’-])[a-z][\w'’]*")
_TOPIC_WORD = re.compile(r"[^\W\d_][\w'’]*")
_TOPIC_FRONT = re.compile(r"^(?:What I need to know about|Parasites -(?: Lice -)?|Overview of)\s+")
_TOPIC_BACK = re.compile(r"\s+(?:and How Its Treated|\(For Health Care Professionals\))$")
_ALSO_KNOWN = re.compile(r"\s*\((?:also known as )?([^)]*)\)")
# Titles of booklets, which no question can be asked about.
_TITLE_TOPIC = re.compile(
    r"^(?:I |Am I|Your |My |Prevent|Monitor|Facing|Financial|Causes of|Diagnosis of|National |Human Growth|\d|Living"
    r"|Preparing|Pregnancy and|Treatment Methods|Nutrition for|Smoking|Nerve Disease|Sexual)|: (?:Eat|Choosing|What to|Keep)"
    r"|Vaccination$|\?"
)
_POINTS_AWAY = re.compile(r"\b(?:these|this|those)\b", re.IGNORECASE)
_COMMON_WORDS = _words("""
    abdominal acute adhesions adults analgesic anemia bladder blood body bowel children chronic control cystitis cysts
    diabetes disease diseases disorder early failure fever foodborne gestational health heart high illnesses in
    incontinence infection infections inflammation injury interstitial irritable kidney kidneys liver males men
    neuropathies newborns painful pressure primary problems reflux renal retention sclerosing stones stroke syndrome
    thyroid tract urinary urine vesicoureteral virus women
""")
_MEDICAL_END = re.compile(r"(?:itis|osis|asis|emia|uria|rrhea|oma|opathy|ism|ency|enia)s?$")
_SINGULAR_ENDS = ("ss", "us", "is", "diabetes", "herpes", "measles", "rabies", "scabies", "series", "ascites")
_FORMS = {
    "information": "What {is} {topic}?",
    "causes": "What causes {topic}?",
    "symptoms": "What are the symptoms of {topic}?",
    "treatment": "How {is} {topic} treated?",
    "exams and tests": "How {is} {topic} diagnosed?",
    "prevention": "How can I prevent {topic}?",
    "susceptibility": "Who is at risk for {topic}?",
    "complications": "What are the complications of {topic}?",
    "frequency": "How many people are affected by {topic}?",
    "outlook": "What is the outlook for {topic}?",
}
_DIET = re.compile(r"\b(?:diet|eat|eating|food|foods|drink|nutrition|nutrients)\b", re.IGNORECASE)


def tidy_answer(text: str) -> str:
    """Gives the answer with its lists as lists and without what leads away from it."""
    paragraphs: list[str] = []
    for raw in re.split(r"\n\s*\n", text.replace("\r", "")):
        lines = _read_lines(raw)
        if lines:
            paragraphs.append("\n".join(lines))
    return _join(paragraphs)


def ask(question: str, topic: str, kind: str, answer: str) -> str | None:
    """Gives the question in plain words; None where the topic is the title of a booklet or missing.

    Args:
        question: As the dataset has it; used where it was not filled into a form.
        topic: The disease or subject.
        kind: Type of the question, such as `symptoms`.
        answer: Its words show which words of the topic are names.
    """
    subject = _TOPIC_BACK.sub("", _TOPIC_FRONT.sub("", topic.strip()))
    if not subject or _TITLE_TOPIC.search(subject):
        return None
    if question[:1].islower():
        own = question.removesuffix(f" for {topic} ?").removesuffix("?").strip()
        return None if _POINTS_AWAY.search(own) else _finish_sentence(own)
    subject = _lower_known(_ALSO_KNOWN.sub("", subject.split(": ")[0]).strip(" -"), answer)
    if kind == "information" and not _speaks_of(subject, answer):
        return None
    verb = "are" if _is_plural(subject) else "is"
    return _finish_sentence(_find_form(kind, answer).format(topic=subject, **{"is": verb}).removesuffix("?"))


def _find_form(kind: str, answer: str) -> str:
    if kind != "considerations":
        return _FORMS.get(kind, "What should I know about {topic}?")
    if not answer.startswith("- ") and len(_DIET.findall(answer)) >= 2:
        return "What should people with {topic} know about eating and diet?"
    return "What are the most important things to know about {topic}?"


def _lower_known(subject: str, answer: str) -> str:
    """Takes the capitals of a title off the words that are no names: common ones, and those the answer writes small."""
    small = _COMMON_WORDS | set(_LOWER_WORD.findall(answer))

    def lower(match: re.Match[str]) -> str:
        word = match[0].lower()
        is_plain = len(word) > 1 and match[0][1:].islower()
        return word if is_plain and (word in small or _MEDICAL_END.search(word)) else match[0]

    return _TOPIC_WORD.sub(lower, subject)


def _speaks_of(subject: str, answer: str) -> bool:
    """Tells whether an answer to `what is it` names it; others explain the organ or a part of the treatment."""
    first = next((word for word in _TOPIC_WORD.findall(subject) if len(word) >= MIN_NAME_CHARS), subject)
    return first.casefold()[:STEM_CHARS] in answer[:OPENING_CHARS].casefold()


def _finish_sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}?"


def _is_plural(subject: str) -> bool:
    """Guesses the number of `kidney stones in adults` (plural) and `celiac disease` (singular) from the head noun."""
    head = re.split(r" (?:in|of|with|for) |\(", subject)[0].strip()
    if " and " in head:
        return True
    last = head.rsplit(" ", 1)[-1].casefold()
    return last == "lice" or (last.endswith("s") and not last.endswith(_SINGULAR_ENDS) and not last.endswith("'s"))


def _read_lines(paragraph: str) -> list[str]:
    lines: list[str] = []
    for raw in paragraph.split("\n"):
        parts = _INLINE_BULLET.split(raw.strip())
        is_list = parts[0].startswith("- ")
        for number, part in enumerate(parts):
            text = _repair(part.removeprefix("- ").strip())
            text = _drop_references(text)
            if count_words(text) and text != "-":
                lines.append(f"- {text}" if is_list or number else text)
    return lines


def _drop_references(text: str) -> str:
    kept = [
        sentence
        for sentence in _SENTENCE_END.split(text)
        if not _NAVIGATION.match(sentence) and not _REFERS_AWAY.search(sentence)
    ]
    return " ".join(kept)


def _repair(text: str) -> str:
    text = re.sub(r"\s+", " ", text).replace(" ,", ",")
    text = _FOOTNOTE.sub("", _LIGATURE.sub(r"\1", text))
    text = _LOST_OWNER.sub(r"\1's ", text)
    return _LOST_APOSTROPHE.sub(lambda match: f"{match[1]}n't" if match[1] else f"{match[2]}'s", text)


def _join(paragraphs: list[str]) -> str:
    """Puts a list close to what announces it; short lines without a stop are the headings of the old page."""
    text = ""
    for paragraph in paragraphs:
        is_list = paragraph.startswith("- ")
        if is_list and text and not text.endswith((".", "\n")) and "\n- " not in text.rsplit("\n\n", 1)[-1]:
            text = f"{text.removesuffix(':')}:\n{paragraph}"
        else:
            text = f"{text}\n\n{paragraph}" if text else paragraph
    return _EDGE_HEADINGS.sub("", text).strip()
