"""The truth checker: right advice passes, wrong advice does not, and it owes nothing to the generator."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from curator.truth import change_advice, check_example, check_truth
from curator.truth.quantities import find_load, read_quantities
from sources.packs.loader import load_pack
from sources.protocol import SourceContext
from sources.synthetic import SyntheticOptions, SyntheticSource

GATE = "Bench 185x5, sleep 8hrs, soreness 3/10"


def example(topic: str, question: str, answer: str) -> tuple[str, str]:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps(turns), json.dumps({"topic": topic, "language": "en"})


@pytest.mark.parametrize(
    ("topic", "question", "right", "wrong"),
    [
        ("recovery_gate", GATE, "Add 5 lb: 190 lb.", "Add 10 lb: 195 lb."),
        ("recovery_gate", GATE, "Go to 190 lb.", "Hold 185 lb."),
        (
            "goal_time",
            "Back squat from 160 lb to 220 lb in 10 weeks, intermediate.",
            "Not in 10 weeks. Plan 24. The milestone is 185 lb.",
            "Not in 10 weeks. Plan 24. The milestone is 200 lb.",
        ),
        ("recovery_gate", "Squat 100kg x 5, sleep 5.5hrs, soreness 2/10", "Use 95 kg.", "Use 97.5 kg."),
        ("recovery_gate", "Squat 100kg x 5, sleep 5.5hrs, soreness 8/10", "Rest today.", "Use 95 kg."),
        ("recovery_gate", "Squat 100kg x 5, sleep 7hrs, soreness 5/10", "Stay at 100 kg.", "Go to 102.5 kg."),
        (
            "overload",
            "Bench press at 185 lb, target 3x8. Session before last: last set 8. Last session: last set 8.",
            "Load 187.5 lb.",
            "Load 190 lb.",
        ),
        (
            "overload",
            "Back squat at 200 lb, target 3x5. Session before last: last set 3. Last session: last set 4.",
            "Reset to 180 lb.",
            "Reset to 190 lb.",
        ),
        (
            "deload",
            "Weeks since deload: 6\nWork: back squat 100 kg 3x5, 15 sets a week\nState: I feel fine.\nDeload or push on?",
            "Cut it to 9 sets.",
            "Cut it to 12 sets.",
        ),
        ("protein_target", "Protein for 80 kg? I want to build muscle.", "130 to 175 g.", "130 to 190 g."),
        ("protein_target", "I weigh 180 lb and want to lose fat.", "145 to 180 g.", "100 to 145 g."),
        ("calorie_target", "Maintenance 2500 kcal, want to lose fat.", "2000-2200 kcal", "2800-3000 kcal"),
        ("short_sleep", "Sleep 5.5hrs, 20 work sets on the plan.", "Do 16 sets.", "Do 20 sets."),
        (
            "hydration",
            "I was 80 kg, after it 79 kg, and drank 0.5 l.",
            "A bit more: 1.3 to 1.5 l.",
            "A bit more: 1.9 to 2.1 l.",
        ),
        ("weekly_sets", "Chest: 24 sets weekly, 2 sessions.", "Go to 16 sets.", "Keep 24 sets."),
        ("how_to", "I squat 100 kg.", "Use 100 kg.", "Use 220 lb."),
    ],
)
def test_right_advice_passes_and_wrong_advice_does_not(topic, question, right, wrong):
    assert not check_example(*example(topic, question, right))
    assert check_example(*example(topic, question, wrong))


def test_a_question_without_its_numbers_is_counted_as_unread():
    turns, facts = example("recovery_gate", "What do I lift?", "Rest.")
    report = check_truth([turns], [facts])
    assert (report.count, report.unread, report.violations) == (1, {"recovery_gate": 1}, ())


def test_quantities_carry_their_units():
    found = [(q.value, q.unit) for q in read_quantities("Do 3x8 with 82.5 kg, sleep 7.5 h, soreness 3/10, 40 percent")]
    assert found == [(3, ""), (8, ""), (82.5, "kg"), (7.5, "h"), (3, "of_10"), (40, "percent")]
    assert find_load("Bench 185x5") == (185, "lb")
    assert find_load("OHP 42.5kg x 5") == (42.5, "kg")
    assert find_load("no weight") is None


def generated(pack_name: str, count: int) -> list[tuple[list[dict], str]]:
    context = SourceContext(root=Path("/"), pack=load_pack(pack_name))
    source = SyntheticSource(SyntheticOptions(count=count), context)
    return [
        (json.loads(content)["messages"], metadata)
        for batch in source.read(None)
        for content, metadata in zip(batch.documents["content"], batch.documents["metadata"], strict=True)
    ]


@pytest.fixture(scope="module")
def rows() -> list[tuple[list[dict], str]]:
    return generated("fitness", 2500) + generated("golf", 200)


def test_what_a_golf_report_calls_lower_has_to_be_lower(rows):
    turns, facts = rows[-1]
    now = json.loads(facts)["variables"]["current"]
    heading = "WHAT IS HAPPENING (Current Issue):\n"
    for score, is_lower in ((now - 0.05, True), (now + 0.05, False)):
        claim = f"{heading}Putting at {score:.2f} is even lower. "
        changed = [turns[0], {**turns[1], "content": turns[1]["content"].replace(heading, claim)}]
        faults = check_example(json.dumps(changed), facts) or []
        assert (f"{score:.2f} is not lower" not in faults) == is_lower


def test_generated_advice_follows_from_its_question(rows):
    report = check_truth([json.dumps(turns) for turns, _ in rows], [facts for _, facts in rows])
    assert report.violations == ()
    assert report.unread == {}
    assert sum(report.recomputed.values()) > len(rows) / 2


def test_at_least_99_of_100_changed_numbers_are_noticed(rows):
    random_source = random.Random(17)
    outcomes = [
        bool(check_example(changed, facts))
        for turns, facts in rows
        if (changed := change_advice(json.dumps(turns), facts, random_source)) is not None
    ]
    assert len(outcomes) >= 1000
    assert sum(outcomes) / len(outcomes) >= 0.99


def test_the_checker_loads_nothing_of_the_generator():
    code = "import sys, curator.truth; print([m for m in sys.modules if m.startswith('sources')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
