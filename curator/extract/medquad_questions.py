"""Asks MedQuAD's questions in plain words, and finds the part of an answer that they asked for.

The dataset filled topics into forms: `What is (are) Gallstones ?`, `What are the treatments for Kidney Stones in
Children ?`.
"""

import re

from curator.extract.lost_dashes import load_words
from curator.extract.medquad import MAX_WORDS, SENTENCE_END, repair
from curator.extract.medquad_advice import answers_kind
from curator.extract.sections import count_words

# Endings differ between a question and its answer (`gallstone`, `gallstones`).
STEM_CHARS = 6
MIN_NAME_CHARS = 4
# A subject with its other names: `Foodborne illnesses, sometimes called foodborne diseases, are ...`.
MAX_SUBJECT_WORDS = 16


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HEADING = re.compile(r"(?!- )[^\n.!?:]{1,60}")
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
# What the booklets are about that are worth a question.
_TITLE_SUBJECTS = {
    "Am I at Risk for Type 2 Diabetes? Taking Steps to Lower Your Risk of Getting Diabetes": "type 2 diabetes",
    "Prevent diabetes problems: Keep your diabetes under control": "problems from diabetes",
    "Prevent diabetes problems: Keep your kidneys healthy": "kidney problems from diabetes",
    "Prevent diabetes problems: Keep your nervous system healthy": "nerve damage from diabetes",
    "Diabetes, Heart Disease, and Stroke": "heart disease and stroke in people with diabetes",
    "Causes of Diabetes": "diabetes",
    "Diagnosis of Diabetes and Prediabetes": "diabetes and prediabetes",
    "Nutrition for Early Chronic Kidney Disease in Adults": "chronic kidney disease in adults",
    "Kidney Failure: What to Expect": "kidney failure",
    "Pregnancy and Thyroid Disease": "thyroid disease in pregnant women",
    "What I need to know about Living with Kidney Failure": "kidney failure",
}
_WHOSE = re.compile(
    r"(?P<thing>.+) in (?P<people>children|newborns|infants|adults|men|women|males|females|pregnant women)$"
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


def cut_to_question(answer: str, topic: str, kind: str) -> str | None:
    """Gives the part of an answer that the question asked for; None where there is none.

    What a thing is must be said in a first sentence: pages about an organ or a test begin with those. An answer about
    eating ends where a heading begins another part of the page. The key points of a page answer nothing.
    """
    part = _cut_part(answer, topic, kind)
    is_eating = is_about_eating(answer, kind)
    return part if part and answers_kind(part, topic, kind, is_eating=is_eating) else None


def _cut_part(answer: str, topic: str, kind: str) -> str | None:
    if kind == "information":
        paragraphs = answer.split("\n\n")
        first = next((n for n, text in enumerate(paragraphs) if _defines(topic, text)), None)
        return None if first is None else "\n\n".join(paragraphs[first:])
    if not is_about_eating(answer, kind):
        return answer if kind != "considerations" else None
    heading = next((m for m in _MIDDLE_HEADING.finditer(answer) if not _DIET.search(m[0])), None)
    part = answer[: heading.start()].strip() if heading else answer
    # The first paragraph says what the page goes on about.
    return _keep_first_paragraphs(part) if _DIET.search(part.split("\n\n", 1)[0]) else None


def is_about_eating(answer: str, kind: str) -> bool:
    """Tells whether the considerations of a topic are what to eat; the others are the key points of the page."""
    return kind == "considerations" and not answer.startswith("- ") and len(_DIET.findall(answer)) >= 2


def _keep_first_paragraphs(answer: str) -> str | None:
    """Gives the whole paragraphs that an answer begins with, up to `MAX_WORDS`; None if the first is longer."""
    kept: list[str] = []
    length = 0
    for paragraph in answer.split("\n\n"):
        length += count_words(paragraph)
        if length > MAX_WORDS:
            break
        kept.append(paragraph)
    while kept and _HEADING.fullmatch(kept[-1]):
        kept.pop()
    return "\n\n".join(kept) or None


def _defines(topic: str, paragraph: str) -> bool:
    """Tells whether a first sentence says what a topic is: its words, then a verb that defines."""
    sentence = SENTENCE_END.split(paragraph.removeprefix("- "))[0]
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
    subject = _TOPIC_BACK.sub("", _TOPIC_FRONT.sub("", repair(_TITLE_SUBJECTS.get(topic, topic))))
    if not subject or kind == "research" or _TITLE_TOPIC.search(subject):
        return None
    if question[:1].islower():
        own = question.removesuffix(f" for {topic} ?").removesuffix("?").strip()
        names_topic = any(stem in own.casefold() for stem in _stems(subject))
        return _finish_sentence(own) if names_topic and not _POINTS_AWAY.search(own) else None
    subject = _lower_known(_ALSO_KNOWN.sub("", subject.split(": ")[0]).strip(" -"), answer)
    slots = {"topic": subject, "is": "are" if _is_plural(subject) else "is", "people": _name_people(subject)}
    return _finish_sentence(_find_form(kind, answer).format(**slots).removesuffix("?"))


def _name_people(subject: str) -> str:
    """Says who has it: `kidney stones in adults` are had by adults, `childhood ...` is asked about by parents."""
    match = _WHOSE.match(subject)
    if match is None:
        return f"people with {subject}"
    thing, people = match["thing"], match["people"]
    return (
        f"parents of {people} with {thing}"
        if people in ("children", "newborns", "infants")
        else f"{people} with {thing}"
    )


def _find_form(kind: str, answer: str) -> str:
    if is_about_eating(answer, kind):
        return "What should {people} know about eating and diet?"
    return _FORMS.get(kind, "What should I know about {topic}?")


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
