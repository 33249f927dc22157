"""Numbers with their units in an answer: `2,800–3,000 kcal`, `3x5`, `82.5 كغ`, `four sets`."""

import re

UNITS: dict[str, str] = {
    "lb": r"lbs?|pounds?|رطل",
    "kg": r"kgs?|kilos?|kilograms?|كغم?|كجم|كيلو(?:غرام|جرام)?",
    "g": r"g|grams?|غم?|غرام(?:ًا)?|جرام(?:ًا)?",
    "kcal": r"kcal|calories|cals?|سعرة|سعرات",
    "%": r"%|٪|per ?cent",
    "sets": r"sets?|مجموعات|مجموعة",
    "reps": r"reps?|repetitions?|تكرارات|تكرار(?:ًا)?",
    "minutes": r"minutes?|mins?|دقيقة|دقائق",
    "seconds": r"seconds?|secs?|ثانية|ثوان[يٍ]?",
    "hours": r"hours?|hrs?|h|ساعات|ساعة",
    "degrees": r"degrees?|°|درجة",
    "balls": r"balls?",
}
"""Spellings of units; another unit is looked for as it is written."""

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩٫", "0123456789.")
_NUMBER = rf"(?:\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?|\b(?:{'|'.join(WORDS)})\b)"
_RANGE = r"\s*(?:–|-|—|to|or|إلى|أو)\s*"
_TIMES = re.compile(r"(\d+)\s*[x×]\s*\d+", re.IGNORECASE)


def find_numbers(text: str, unit: str) -> list[float]:
    """Gives the numbers of a unit in a text, both ends of a range, in order of appearance."""
    text = text.translate(_DIGITS)
    spelling = UNITS.get(unit, re.escape(unit))
    # Not within a longer word: "5 g" but not "5 goblet squats".
    pattern = re.compile(rf"({_NUMBER})(?:{_RANGE}({_NUMBER}))?[\s-]*(?:{spelling})(?!\w)", re.IGNORECASE)
    found = [_read(end) for match in pattern.finditer(text) for end in match.groups() if end]
    # "3x5 and four sets" is no range, "between 120 and 165 g" is one; its upper end is found above.
    between = re.compile(
        rf"(?:between|بين)\s+({_NUMBER})\s*(?:and|و)\s*{_NUMBER}[\s-]*(?:{spelling})(?!\w)", re.IGNORECASE
    )
    found += [_read(match[1]) for match in between.finditer(text)]
    if unit == "sets":
        found += [float(match[1]) for match in _TIMES.finditer(text)]
    return found


def _read(text: str) -> float:
    lowered = text.lower()
    return float(WORDS.index(lowered)) if lowered in WORDS else float(text.replace(",", ""))
