"""Tells whether an answer of MedQuAD gives the advice that its question asked for, and whether it will keep.

Sections of the old pages were filed under the nearest question: tests under what to eat, another condition under what
to prevent.
"""

import re

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|\n")
# Something to eat or drink, or what is in it; `diet`, `foods` and `meals` alone are none.
_FOOD = re.compile(
    r"\b(?:fruits?|vegetables?|meats?|poultry|fish|shellfish|eggs?|nuts?|beans?|peas|soy|grains?|cereals?|bread|rice|pasta"
    r"|wheat|gluten|milk|dairy|lactose|cheese|juices?|water|fluids?|liquids?|drinking|drinks?|beverages?|alcohol|coffee"
    r"|caffeine|sodas?|salt|sodium|potassium|phosphorus|calcium|iron|copper|iodine|oxalate|vitamins?|minerals|fiber|fats?"
    r"|fatty|greasy|spicy|protein|carbohydrates?|sugars?|sugary|sweets?|calories?|cholesterol|supplements?|low-\w+"
    r"|high-\w+)\b",
    re.IGNORECASE,
)
# What a doctor does, not the reader.
_CLINIC = re.compile(
    r"\b(?:tests?|tested|testing|retested|labs?|laborator(?:y|ies)|diagnos\w+|biops(?:y|ies)|x[- ]rays?|scans?|urinalysis"
    r"|prescri\w+|medications?|medicines?|inhibitors?|blockers?|doctor (?:may|can|will) (?:ask|measure|order))\b",
    re.IGNORECASE,
)
# What happens in a hospital: no answer to what one should eat.
_HOSPITAL = re.compile(
    r"\b(?:thiazides?|intravenous(?:ly)?|parenteral|feeding tubes?|tube feeding|hospital\w*)\b", re.IGNORECASE
)
_PREVENTED = re.compile(r"\bprevent(?:ing)?(?: or delay(?:ing)?)? (?P<thing>(?:[\w'’-]+ ){0,4}[\w'’-]+)", re.IGNORECASE)
_TOPIC_FRONT = re.compile(r"^What I need to know about\s+")
_NO_TREATMENT = re.compile(
    r"\bno (?:\w+ ){0,2}(?:therap(?:y|ies)|treatments?|medications?|drugs?)(?: for [\w' -]{1,40})? (?:exists?|(?:is|are) available)\b"
    r"|\bthere (?:is|are) (?:currently )?no (?:specific |known |approved )?(?:therap(?:y|ies)|treatments?|medications?|drugs?)\b",
    re.IGNORECASE,
)
_SCREENING_AGE = re.compile(
    r"\b(?:age[sd]? \d\d|\d\d years)\b[^.]*\b(?:screen(?:ed|ing)|(?:get|be) (?:tested|screened)|getting tested|consider testing)\b",
    re.IGNORECASE,
)
_PRESSURE = r"\b1[1-6]\d ?/ ?[6-9]\d\b"
_PRESSURE_TARGET = re.compile(
    rf"\b(?:below|under|less than|lower than|keep|goals?|targets?|recommend\w*)\b[^.]*{_PRESSURE}", re.IGNORECASE
)


def answers_kind(answer: str, topic: str, kind: str, *, is_eating: bool) -> bool:
    """Tells whether an answer says what its question asked for.

    Args:
        answer: Tidy text.
        topic: The disease or subject.
        kind: Type of the question, such as `prevention`.
        is_eating: Whether the question is about eating and diet, which must be answered with something to eat, at home.
    """
    if is_eating:
        return _FOOD.search(answer) is not None and _HOSPITAL.search(answer) is None
    return kind != "prevention" or not (_prevents_another(answer, topic) or _is_clinical(answer))


def may_be_outdated(answer: str) -> bool:
    """Tells whether an answer says what guidelines change: that no treatment exists, at which age to screen, targets."""
    return any(pattern.search(answer) for pattern in (_NO_TREATMENT, _SCREENING_AGE, _PRESSURE_TARGET))


def _is_clinical(answer: str) -> bool:
    """Tells whether more than half of the sentences are about tests and medicines."""
    sentences = [sentence for sentence in _SENTENCE.split(answer) if sentence.strip()]
    return 2 * sum(_CLINIC.search(sentence) is not None for sentence in sentences) > len(sentences)


def _prevents_another(answer: str, topic: str) -> bool:
    """Tells whether the first thing an answer prevents is the topic's sister: `type 2 diabetes`, not `gestational`."""
    words = _TOPIC_FRONT.sub("", topic).casefold().split()
    first = _PREVENTED.search(answer.split("\n\n", 1)[0])
    if first is None or len(words) < 2 or "and" in words or " in " in topic:
        return False
    thing = first["thing"].casefold().split()
    if words[-1] not in thing:
        return False
    own = thing[: thing.index(words[-1])]
    return bool(set(own) - {"the", "a", "your", "more"}) and not set(own) & set(words[:-1])
