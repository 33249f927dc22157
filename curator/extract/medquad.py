"""Makes MedQuAD pairs readable: questions that were filled into forms, answers that were scraped from pages.

The dataset (https://github.com/abachaa/MedQuAD) asks `What is (are) Gallstones ?`; its answers lost their list
layout, some apostrophes and ligatures, and kept the navigation of the pages that they came from.
"""

import re

from curator.extract.lost_dashes import has_glued, load_words, restore_dashes
from curator.extract.sections import count_words

MIN_WORDS = 20
# Longer answers are whole booklets under one question.
MAX_WORDS = 450
# Endings differ between a question and its answer (`gallstone`, `gallstones`).
STEM_CHARS = 6
# So many numbers in one sentence were cells of a table.
MAX_SENTENCE_NUMBERS = 8
MIN_NAME_CHARS = 4
# A subject with its other names: `Foodborne illnesses, sometimes called foodborne diseases, are ...`.
MAX_SUBJECT_WORDS = 16


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


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
    r"https?://|\bwww\.|\bavailable at\b|NIDDK health topic|fact sheet,|1-800-|see the section|section titled|\bfound here\b"
    r"|\bbooklet\b"
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_INLINE_BULLET = re.compile(r"\s{2,}-\s+(?=\S)")
_FOOTNOTE = re.compile(r"(?<=[A-Za-z]{2}[A-Za-z0-9][.,])\d{1,2}(?:[,-]\d{1,2})*(?=\s|$)")
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
_LOST_LETTERS = {
    "Schnlein": "Schönlein", "Sjgrens": "Sjögren's", "Sjgren": "Sjögren", "Behet": "Behçet", "Mntriers": "Ménétrier's", "Mntrier": "Ménétrier", "Mnire": "Ménière",
    "Barr syndrome": "Barré syndrome", "pured": "puréed", "babys": "baby's", "travelers diarrhea": "traveler's diarrhea",
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
    r"|\b[Ff]igure \d|\bfollowing (?:chart|table|figure|link|diagram)|\b(?:see|in) the (?:figure|table|chart|illustration)\b|[Cc]lick\b|Submit Specimens|CDC(?:'s)? (?:policy|scientist)"
)
# Medicines that were withdrawn after the pages were written.
_WITHDRAWN = re.compile(r"\b(?:[Rr]anitidine|Zantac|[Cc]isapride|Propulsid|[Tt]egaserod|Zelnorm|[Tt]roglitazone)\b")
_NUMBER = re.compile(r"\d+(?:[./]\d+)?")
# A heading that ran into its paragraph: `Genetic Diseases Each cell contains`.
_GLUED_HEADING = re.compile(
    r"^(?:(?:[A-Z][a-z]+|and|of|in|the) ){2,6}(?:Each|The|An?|In|When|If|This|Some|Many|Most|People) [a-z]",
    re.MULTILINE,
)
_LONE_ITEM = re.compile(r"(?:\A|\n\n|\n)- [^\n]+\n\n- |:\n\n(?!- )|(?:\A|\n)- [^\n]*:\n- ")
_LAST_SENTENCE = re.compile(r"(?:\A|(?<=[.!?]\s)|(?<=\n))[^.!?\n]*:\Z")
_MIDDLE_HEADING = re.compile(r"\n\n(?!- )[^\n.!?:]{1,60}\n\n")
_DEFINES = re.compile(
    r"\b(?:is|are|was) (?:an?|the|any|one|also|defined|called|caused|when|infections?|diseases?|inflammation|swelling|small|growths?|hard|not)\b"
    r"|\b(?:is|are|means?|refers? to|describes?)\b|\b(?:occurs?|happens?|results?|develops?) (?:when|if|from|because)\b"
)
# A sentence about one side of a thing does not say what it is.
_OTHER_SUBJECT = re.compile(
    r"\b(?:chances?|risk|causes?|symptoms?|signs|people|patients|treatments?|diagnosis|testing|tests?|most|many|some"
    r"|research\w*|providers?|cases)\b",
    re.IGNORECASE,
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
    r"|Vaccination$|\?|,.*\band\b| for (?:Women|Men|Teens|Kids)$"
)
_POINTS_AWAY = re.compile(r"\b(?:these|this|those)\b", re.IGNORECASE)
_COMMON_WORDS = _words("""
    abdominal acute adhesions adults analgesic anemia bladder blood body bowel children chronic control cystitis cysts
    diabetes disease diseases disorder early failure fever foodborne gestational health heart high illnesses in
    incontinence infection infections inflammation injury interstitial irritable kidney kidneys liver males men
    neuropathies newborns painful pressure primary problems reflux renal retention sclerosing stones stroke syndrome
    thyroid tract urinary urine vesicoureteral virus women
""")
# Known words that are names when they begin with a capital.
_NAMES = _words("""
    african american asian barr british california canada caribbean cushing european graves hashimoto ii iii india mediterranean
    mexico nile rocky saint whipple wilson
""")
_MEDICAL_END = re.compile(r"(?:itis|osis|asis|emia|uria|rrhea|oma|opathy|ism|ency|enia)s?$")
_SINGULAR_ENDS = ("ss", "us", "is", "diabetes", "herpes", "measles", "rabies", "scabies", "series", "ascites", "gas")
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


def find_damage(answer: str) -> str | None:
    """Gives why a tidy answer cannot be learnt from, None if it can.

    `damaged_text`: a list or a table fell apart. `points_away`: it speaks of what is not there. `outdated`: it names a
    medicine that was withdrawn.
    """
    if _POINTS_OUT.search(answer):
        return "points_away"
    if _WITHDRAWN.search(answer):
        return "outdated"
    sentences = [sentence for line in answer.split("\n") for sentence in _SENTENCE_END.split(line)]
    is_table = any(len(_NUMBER.findall(sentence)) > MAX_SENTENCE_NUMBERS for sentence in sentences)
    is_damaged = is_table or has_glued(answer) or _LONE_ITEM.search(answer) or _GLUED_HEADING.search(answer)
    return "damaged_text" if is_damaged else None


def cut_to_question(answer: str, topic: str, kind: str) -> str | None:
    """Gives the part of an answer that the question asked for; None where there is none.

    What a thing is must be said in a first sentence: pages about an organ or a test begin with those. An answer about
    eating ends where a heading begins another part of the page.
    """
    if kind == "information":
        paragraphs = answer.split("\n\n")
        first = next((n for n, text in enumerate(paragraphs) if _defines(topic, text)), None)
        return None if first is None else "\n\n".join(paragraphs[first:])
    if kind == "considerations" and len(_DIET.findall(answer)) >= 2:
        heading = next((m for m in _MIDDLE_HEADING.finditer(answer) if not _DIET.search(m[0])), None)
        return answer[: heading.start()].strip() if heading else answer
    return answer


def _defines(topic: str, paragraph: str) -> bool:
    """Tells whether a first sentence says what a topic is: its words, then a verb that defines."""
    sentence = _SENTENCE_END.split(paragraph.removeprefix("- "))[0]
    names = [name for name in (_ALSO_KNOWN.sub("", topic), *_ALSO_KNOWN.findall(topic)) if name]
    return any(_defines_name(_TOPIC_FRONT.sub("", name), sentence) for name in names)


def _defines_name(name: str, sentence: str) -> bool:
    stems = _stems(name)
    for verb in _DEFINES.finditer(sentence):
        subject = sentence[: verb.start()].casefold()
        if _OTHER_SUBJECT.search(subject) and not _OTHER_SUBJECT.search(name):
            continue
        # Two words of the topic are enough: `in adults` or `syndrome` need not be said again.
        if sum(stem in subject for stem in stems) >= min(len(stems), 2) and len(subject.split()) <= MAX_SUBJECT_WORDS:
            return True
    return False


def ask(question: str, topic: str, kind: str, answer: str) -> str | None:
    """Gives the question in plain words; None where the topic is the title of a booklet or missing.

    Args:
        question: As the dataset has it; used where it was not filled into a form.
        topic: The disease or subject.
        kind: Type of the question, such as `symptoms`.
        answer: Its words show which words of the topic are names.
    """
    subject = _TOPIC_BACK.sub("", _TOPIC_FRONT.sub("", _repair(topic)))
    if not subject or kind == "research" or _TITLE_TOPIC.search(subject):
        return None
    if question[:1].islower():
        own = question.removesuffix(f" for {topic} ?").removesuffix("?").strip()
        names_topic = any(stem in own.casefold() for stem in _stems(subject))
        return _finish_sentence(own) if names_topic and not _POINTS_AWAY.search(own) else None
    subject = _lower_known(_ALSO_KNOWN.sub("", subject.split(": ")[0]).strip(" -"), answer)
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
    small = _COMMON_WORDS | set(_LOWER_WORD.findall(answer)) | load_words() - _NAMES

    def lower(match: re.Match[str]) -> str:
        word = match[0].lower()
        is_plain = len(word) > 1 and match[0][1:].islower()
        return word if is_plain and (word in small or _MEDICAL_END.search(word)) else match[0]

    return _TOPIC_WORD.sub(lower, subject)


def _stems(name: str) -> list[str]:
    words = [word for word in _TOPIC_WORD.findall(name) if len(word) >= MIN_NAME_CHARS] or [name]
    return [word.casefold()[:STEM_CHARS] for word in words]


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
    text = re.sub(r"(?<=\w)\*(?=\s)", "", re.sub(r"\s+", " ", text)).replace(" ,", ",")
    text = _FOOTNOTE.sub("", _LIGATURE.sub(r"\1", text))
    text = _LOST_LETTER.sub(lambda match: _LOST_LETTERS[match[0]], restore_dashes(text))
    text = _LOST_OWNER.sub(r"\1's ", text)
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
    # An announcement at the end lost its list.
    return _EDGE_HEADINGS.sub("", _LAST_SENTENCE.sub("", _EDGE_HEADINGS.sub("", text).strip()).strip()).strip()
