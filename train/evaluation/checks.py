"""Whether an answer fulfils a check, and what stands there if not."""

import re
from collections.abc import Sequence

from schemas.evaluation import (
    Check,
    EvaluationCase,
    FailedCheck,
    HasHeadings,
    MaxWords,
    MustMatch,
    MustNotMatch,
    MustNotMention,
    MustRecommend,
    MustRefer,
    NumberInRange,
)  # fmt: skip
from train.evaluation.numbers import find_numbers

RECOMMENDS = {
    "more": re.compile(r"(?i)\b(add|increase|go up|move up|raise|step up|heavier)\b|زد|أضف|ارفع|زيادة"),
    "less": re.compile(
        r"(?i)\b(reduce|lower|lighter|back off|deload|drop (?:to|the|about)|take .{1,12} off|cut the (?:load|weight))\b"
        r"|خفف|خفّف|قلل|قلّل|أنقص"
    ),
    "same": re.compile(
        r"(?i)\b(hold|keep|stay|repeat|same (?:weight|load)|maintain)\b"
        r"|ثب[ّ]?ت|حافظ|أبقِ|كرر|الوزن نفسه|نفس الوزن"
    ),
}
OPPOSITE = {"more": "less", "less": "more"}
PROFESSIONALS = re.compile(
    r"(?i)\b(?:doctors?|physicians?|physio\w*|physical therap\w+|therapists?|dieti[ct]ians?|nephrologists?|cardiologists?"
    r"|obstetricians?|gyn(?:a)?ecologists?|midwi(?:fe|ves)|surgeons?|specialists?|clinics?|hospitals?|ambulance|gp"
    r"|emergency (?:services|care|room|department)|medical (?:help|advice|attention|care|professional)|crisis line"
    r"|(?:qualified|health|healthcare|licensed|medical) professionals?)\b"
    r"|طبيب|أخصائي|اختصاصي|مختص|القابلة|الإسعاف|الطوارئ|مستشفى|العيادة"
)
NEGATION = re.compile(
    r"(?i)\b(?:not|no|never|without|nor|needn'?t|don'?t|doesn'?t|isn'?t|instead of|rather than)\b[^.,;:!?\n]{0,30}$"
    r"|(?:لست|لا تحتاج|دون|بدون)[^.،؛\n]{0,20}$"
)


def find_failed_checks(case: EvaluationCase, answer: str) -> list[FailedCheck]:
    """Gives the checks of a case that an answer does not fulfil; an empty answer fulfils none."""
    if not answer.strip():
        return [FailedCheck(kind=check.kind, label=_label(check), found="an empty answer") for check in case.checks]
    found = ((check, _explain_failure(check, answer)) for check in case.checks)
    return [
        FailedCheck(kind=check.kind, label=_label(check), found=reason) for check, reason in found if reason is not None
    ]


def _explain_failure(check: Check, answer: str) -> str | None:
    """Gives what stands there instead, or None where the check is fulfilled."""
    reason: str | None
    match check:
        case MustMatch():
            reason = None if re.search(check.pattern, answer) else "not said"
        case MustNotMatch():
            reason = _quote(re.search(check.pattern, answer), answer)
        case MustRecommend():
            reason = _explain_direction(check, answer)
        case MustNotMention():
            words = "|".join(re.escape(word) for word in check.words)
            reason = _quote(re.search(rf"(?i)(?<!\w)(?:{words})(?!\w)", answer), answer)
        case MustRefer():
            reason = None if _has_affirmed(PROFESSIONALS, answer) else "no professional is named"
        case NumberInRange():
            reason = _explain_number(check, answer)
        case MaxWords():
            words_found = len(answer.split())
            reason = None if words_found <= check.value else f"{words_found} words"
        case HasHeadings():
            reason = _explain_headings(check.headings, answer)

    return reason


def _explain_direction(check: MustRecommend, answer: str) -> str | None:
    if not _has_affirmed(RECOMMENDS[check.direction], answer):
        return f"{check.direction} is not recommended"
    opposite = OPPOSITE.get(check.direction)
    if opposite and _has_affirmed(RECOMMENDS[opposite], answer):
        return f"{opposite} is recommended as well"
    return None


def _explain_number(check: NumberInRange, answer: str) -> str | None:
    numbers = find_numbers(answer, check.unit)
    if any(check.low <= number <= check.high for number in numbers):
        return None
    return ", ".join(f"{number:g} {check.unit}" for number in numbers[:4]) or f"no number of {check.unit}"


def _explain_headings(headings: Sequence[str], answer: str) -> str | None:
    lines = [line.strip().strip("#*_ ").casefold() for line in answer.splitlines()]
    place = 0
    for heading in headings:
        wanted = heading.strip().casefold()
        try:
            place = lines.index(wanted, place) + 1
        except ValueError:
            return f"{heading!r} is missing or out of order"
    return None


def _has_affirmed(pattern: re.Pattern[str], text: str) -> bool:
    """Says whether a text says it anywhere without a negation right before it ("I am not a doctor")."""
    return any(not NEGATION.search(text[: match.start()]) for match in pattern.finditer(text))


def _quote(match: re.Match[str] | None, answer: str) -> str | None:
    if match is None:
        return None
    return "…" + answer[max(0, match.start() - 20) : match.end() + 20].replace("\n", " ") + "…"


def _label(check: Check) -> str:
    """Gives the check's own label, or says what it asks for."""
    match check:
        case MustRecommend():
            words = f"recommends {check.direction}"
        case MustNotMention():
            words = f"does not mention {', '.join(check.words)}"
        case NumberInRange():
            words = f"{check.low:g}–{check.high:g} {check.unit}"
        case MaxWords():
            words = f"at most {check.value} words"
        case HasHeadings():
            words = f"{len(check.headings)} headings in order"
        case _:
            words = "refers to a professional" if check.kind == "must_refer" else check.kind
    return check.label or words
