"""Checks generated advice against the numbers in its own text.

Nothing here is imported from the generator: the rules are written down a second time, in Python, from the domain's
guides. Only the name of the topic is taken from the metadata; which rule holds is found anew.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from curator.truth import food, loads, volume
from curator.truth.expectation import Expectation
from curator.truth.golf import check_golf

_EXPECTATIONS: dict[str, Callable[[str], Expectation | None]] = {
    "recovery_gate": loads.expect_gate,
    "overload": loads.expect_overload,
    "record_attempt": loads.expect_record,
    "injury_prevention": loads.expect_ramp,
    "return_after_injury": loads.expect_return,
    "goal_time": loads.expect_goal,
    "scheme": loads.expect_scheme,
    "stall": loads.expect_stall,
    "protein_target": food.expect_protein,
    "calorie_target": food.expect_calories,
    "macros": food.expect_macros,
    "meals": food.expect_meals,
    "weigh_in": food.expect_weigh_in,
    "hydration": food.expect_hydration,
    "deload": volume.expect_deload,
    "short_sleep": volume.expect_short_sleep,
    "weekly_sets": volume.expect_weekly_sets,
    "sore_muscle": volume.expect_soreness,
    "split": volume.expect_split,
    "sets_reps_rest": volume.expect_time_budget,
    "short_session": volume.expect_circuit,
    "adherence": volume.expect_adherence,
}
# Units, and the words for goals that the English rules look for.
_ARABIC_UNITS = (
    (r"(?<=\d) ?كغ", " kg"),
    (r"(?<=\d) ?غ(?![\u0621-\u064a])", " g"),
    (r"(?<=\d) ?سعرة", " kcal"),
    (r"(?<=\d) ?ساعات", " hours"),
    (r"(?<=\d) ?مجموعة", " sets"),
    ("يومين", "2 days"),
    (r"(?<=\d) ?أيام", " days"),
    (r"خسارة الدهون", "lose fat"),
    (r"زيادة العضلات|هدفي القوة", "build muscle"),
    ("،", ","),
)


@dataclass(frozen=True)
class Violation:
    """One example whose advice does not follow from its question.

    Attributes:
        row: Position among the examples.
        topic: Topic of the rule file.
        faults: What is wrong, in words.
    """

    row: int
    topic: str
    faults: tuple[str, ...]


@dataclass(frozen=True)
class TruthReport:
    """What a check found.

    Attributes:
        count: Examples looked at.
        recomputed: By topic, examples whose rule was recomputed from the text.
        unread: By topic, examples whose question should have had the numbers and had not.
        violations: Examples with wrong advice.
    """

    count: int
    recomputed: dict[str, int]
    unread: dict[str, int]
    violations: tuple[Violation, ...]


def check_example(messages: str, metadata: str) -> list[str] | None:
    """Gives what is wrong with an example; None where there is no rule to recompute.

    Args:
        messages: JSON of the turns.
        metadata: JSON with `topic` and `language`.

    Raises:
        LookupError: The question lacks the numbers that its topic needs.
    """
    turns, facts = json.loads(messages), json.loads(metadata)
    question = "\n".join(part for part in (turns[0]["content"], turns[0].get("input")) if part)
    answer = turns[1]["content"]
    topic = str(facts.get("topic", ""))
    if facts.get("language") == "ar":
        return _check_arabic(topic.removesuffix("_ar"), question, answer)
    if topic == "area_report":
        found = check_golf(question, answer)
    elif topic in _EXPECTATIONS:
        expectation = _EXPECTATIONS[topic](question)
        found = None if expectation is None else expectation.violations(answer)
    else:
        return _check_units(question, answer) or None
    if found is None:
        raise LookupError(f"{topic}: the numbers are not in the question")
    return found + _check_units(question, answer)


def _check_arabic(topic: str, question: str, answer: str) -> list[str] | None:
    """Numbers only: the patterns of words are English, the units are translated."""
    if topic not in _EXPECTATIONS:
        return None
    expectation = _EXPECTATIONS[topic](_translate_units(question))
    if expectation is None:
        raise LookupError(f"{topic}: the numbers are not in the question")
    return replace(expectation, says=None, never=None).violations(_translate_units(answer))


def _translate_units(text: str) -> str:
    for arabic, unit in _ARABIC_UNITS:
        text = re.sub(arabic, unit, text)
    return text


def check_truth(messages: Iterable[str], metadata: Iterable[str]) -> TruthReport:
    """Checks many examples."""
    recomputed: Counter[str] = Counter()
    unread: Counter[str] = Counter()
    violations = []
    count = 0
    for row, (turns, facts) in enumerate(zip(messages, metadata, strict=True)):
        count += 1
        topic = str(json.loads(facts).get("topic", ""))
        try:
            faults = check_example(turns, facts)
        except LookupError:
            unread[topic] += 1
            continue
        if faults is not None:
            recomputed[topic] += 1
        if faults:
            violations.append(Violation(row, topic, tuple(faults)))
    return TruthReport(count, dict(recomputed), dict(unread), tuple(violations))


def _check_units(question: str, answer: str) -> list[str]:
    """Who counts in kilograms does not get pounds on the bar, and the other way round."""
    asked = set(re.findall(r"\d ?(lb|kg)s?\b", question))
    told = set(re.findall(r"\d (lb|kg)\b", answer))
    return [f"answers in {unit}" for unit in sorted(told - asked)] if asked else []
