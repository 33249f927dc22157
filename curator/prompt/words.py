"""Splits text into the words that retrieval compares: folded, without fillers, stemmed where a stemmer is known."""

import re
from collections.abc import Callable

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_SNOWBALL = {"en": "english", "es": "spanish", "de": "german", "fr": "french", "it": "italian", "pt": "portuguese"}
_ARABIC_MARKS = re.compile(r"[\u064b-\u0652\u0670\u0640]")
_ARABIC_ALEFS = str.maketrans("أإآى", "اااي")
# Light stemming by Larkey, Ballesteros & Connell, "Light stemming for Arabic information retrieval" (2007), light10.
# Snowball's Arabic stemmer takes the first letter of a word like "protein" for a preposition.
_ARABIC_PREFIXES = ("وال", "بال", "كال", "فال", "ال", "لل", "و")
_ARABIC_SUFFIXES = ("ها", "ان", "ات", "ون", "ين", "يه", "ية", "ه", "ة", "ي")
_STOP_WORDS = frozenset(
    word
    for word in (
        "a about all am an and any are as at be been before being but by can could did do does doing for from had has "
        "have he her his how i i'm i've if in into is it its it's just me my of on or our out she should so some than "
        "that the their them then there these they this those to too very was we were what what's whats when where "
        "which while who why will with would you your "
        # Fillers of questions: rare on a page, so BM25 would take them for the point.
        "again also always anyone anything best better correct correctly get getting give go going good got great help "
        "keep kind know let like lot make many maybe much need now often ok okay one please proper properly really "
        "right something still stuff sure take tell thing things think tips try trying use using want way ways well "
        "work yet "
        # Arabic.
        "في من على الى عن ان هل ما ماذا كيف متى كم هو هي هذا هذه التي الذي مع او ثم لا لم لن قد كل بعد قبل اذا يجب "
        "بعض يمكن اريد احتاج افضل"
    )
    .translate(_ARABIC_ALEFS)
    .split()
)

Splitter = Callable[[str], list[str]]


def make_splitter(language: str) -> Splitter:
    """Gives the function that splits texts of a language.

    Args:
        language: ISO 639-1; one without a stemmer is folded only.
    """
    stem = _find_stemmer(language)

    def split(text: str) -> list[str]:
        folded = _ARABIC_MARKS.sub("", text.casefold()).translate(_ARABIC_ALEFS).replace("’", "'")
        return stem([word for word in _WORD.findall(folded) if word not in _STOP_WORDS])

    return split


def _find_stemmer(language: str) -> Callable[[list[str]], list[str]]:
    if language == "ar":
        return lambda words: [_stem_arabic(word) for word in words]
    if language in _SNOWBALL:
        import Stemmer

        return Stemmer.Stemmer(_SNOWBALL[language]).stemWords  # type: ignore[no-any-return]
    return lambda words: words


def _stem_arabic(word: str) -> str:
    for prefix in _ARABIC_PREFIXES:
        # light10 leaves at least two letters, and three after a bare "and".
        if word.startswith(prefix) and len(word) - len(prefix) >= (3 if prefix == "و" else 2):
            word = word[len(prefix) :]
            break
    for suffix in _ARABIC_SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 2:
            word = word[: -len(suffix)]
    return word
