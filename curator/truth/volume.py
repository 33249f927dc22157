"""Rules about sets, weeks and sessions, recomputed from the question."""

import re

from curator.truth.expectation import Expectation, exactly, on_grid, state
from curator.truth.quantities import find_load, find_number

_FRESH = r"I feel fine|No complaints|still move well"


def expect_deload(question: str) -> Expectation | None:
    """Every four to six weeks: 40 percent fewer sets, or 60 percent of the weight."""
    weeks = find_number(r"(\d+) weeks|Weeks since deload: (\d+)", question)
    weeks = 1.0 if weeks is None and re.search(r"one week", question, re.IGNORECASE) else weeks
    sets = find_number(r"(\d+) (?:hard |weekly )?sets (?:a|for)? ?(?:week)?|(\d+) weekly sets", question)
    load = find_load(question)
    if weeks is None or sets is None or load is None:
        return None
    weight, unit = load
    is_tired = re.search(_FRESH, question) is None
    plate = 2.5 if unit == "kg" else 5.0
    if weeks >= 6 or (weeks >= 4 and is_tired):
        light, fewer = on_grid(weight * 0.6, plate), on_grid(sets * 0.6, 1.0)
        allowed = {unit: exactly([weight, light])}
        counts = [(r"(\d+) (?:instead of|sets this week)", {fewer, light})]
        return Expectation(allowed, [state("sets", fewer) + state(unit, light)], counts)
    allowed = {unit: exactly([weight])}
    if is_tired:
        return Expectation(allowed, never=r"60 percent|40 percent|Yes, deload")
    says = r"week 6" if weeks >= 4 else r"no deload|carry on|too early|nothing calls"
    return Expectation(allowed, says=says, never=r"60 percent|40 percent")


def expect_short_sleep(question: str) -> Expectation | None:
    """Less than six hours: 20 percent fewer sets."""
    sleep = find_number(r"(\d+(?:\.\d+)?) ?(?:h\b|hrs|hours)", question)
    sets = find_number(r"(\d+) (?:work )?sets", question)
    if sleep is None or sets is None:
        return None
    hours = {"h": exactly([sleep, 6.0, 7.5])}
    if sleep < 6:
        return Expectation(hours, [state("sets", on_grid(sets * 0.8, 1.0))])
    never = r"cut the volume|take a fifth"
    return Expectation({**hours, "sets": exactly([sets])}, [[("sets", sets, 0.0)]], never=never)


def expect_weekly_sets(question: str) -> Expectation | None:
    """Ten to twenty hard sets for a muscle and week."""
    sets = find_number(r"(\d+) (?:hard )?sets|Currently (\d+)", question)
    if sets is None:
        return None
    is_flat = re.search(r"nothing has moved|hasn't grown", question, re.IGNORECASE) is not None
    if sets > 20:
        advice = 16.0
    else:
        advice = min(sets + 2, 10.0) if sets < 10 and is_flat else sets
    numbers = {"sets": exactly([sets, advice, min(sets + 2, 10.0), 10.0, 20.0])}
    counts = [
        (r"(?:keep|go up to|instead of|until you are at|stay at) (?:the )?(\d+)", {sets, advice, min(sets + 2, 10.0)})
    ]
    return Expectation(numbers, [[("sets", advice, 0.0)]], counts)


def expect_soreness(question: str) -> Expectation | None:
    """Over 7 active recovery, from 4 train without adding, below 4 train."""
    soreness = find_number(r"(\d+)/10", question)
    if soreness is None:
        return None
    scale = {"of_10": exactly([soreness])}
    if soreness > 7:
        return Expectation(scale, says=r"active recovery|leave the|rest them|not today", never=r"train normally\.")
    if soreness >= 4:
        return Expectation(scale, says=r"same load|hold the weights|without increases", never=r"active recovery")
    return Expectation(scale, says=r"train normally|go ahead|no reason to skip", never=r"active recovery")


def expect_split(question: str) -> Expectation | None:
    """Up to three days full body, four upper/lower, five or more push-pull-legs unless new to it."""
    days = find_number(r"(\d) (?:training )?(?:days|sessions)", question)
    if days is None:
        return None
    is_new = re.search(r"beginner|training for a few months", question, re.IGNORECASE) is not None
    counts = [(r"(\d) (?:times a week|full-body|sessions?\b|days?\b)", {days, 4.0} if days >= 5 and is_new else {days})]
    if days <= 3:
        return Expectation(counts=counts, says=r"full body|full-body|whole body")
    if days == 4:
        return Expectation(counts=counts, says=r"upper/lower|two upper and two lower|volume")
    says = r"four of them|train 4 times|four are enough" if is_new else r"push[-, ]+pull"
    return Expectation(counts=counts, says=says)


def expect_time_budget(question: str) -> Expectation | None:
    """How many exercises fit: 10 minutes of warm-up, then 15, 8 or 5 minutes each."""
    minutes = find_number(r"(\d+) minutes", question)
    if minutes is None:
        return None
    kind = re.search(r"stronger|strength endurance|endurance|strength|size|growth", question, re.IGNORECASE)
    if kind is None:
        return None
    word = kind.group(0).lower()
    each = 5 if "endurance" in word else 8 if word in ("size", "growth") else 15
    count = max(min((minutes - 10) // each, 7), 1)
    return Expectation({}, says=rf"(?<!\d){count:g} exercises? fits?\b")


def expect_circuit(question: str) -> Expectation | None:
    """Short sessions: 5 minutes of warm-up and 5 for each round, supersets from 25 minutes on."""
    minutes = find_number(r"(\d+) minutes", question)
    if minutes is None:
        return None
    counts = [(r"(\d+) minutes", {minutes, 5.0})]
    if minutes >= 25:
        return Expectation(counts=counts, says=r"superset|pair")
    rounds = (minutes - 5) // 5
    return Expectation(counts=counts, says=rf"(?<!\d){rounds:g} (?:rounds|times)")


def expect_adherence(question: str) -> Expectation | None:
    """Share of sessions done: from 80 percent keep, from 50 shrink, below start over with a minimum."""
    done = find_number(r"did (\d+)|(\d+) (?:of|out of) \d+|done (\d+)", question)
    planned = find_number(r"planned (\d+)|(?:of|out of) (\d+)", question.lower())
    if done is None or planned is None:
        return None
    share = 100 * done / planned
    rounded = on_grid(share, 1.0)
    stated = {"percent": exactly([rounded, 80.0, 90.0])}
    counts = [(r"(?<!about )(?<!reaches )(?<!\d)(\d+) percent", {rounded})]
    if rounded >= 80:
        return Expectation(stated, counts=counts, says=r"keep the plan|counts as consistent|doing well|no worries")
    if rounded >= 50:
        fewer = max(on_grid(planned / 4, 1.0) - 1, 1.0)
        counts.append((r"(?:smaller:|plan|to) (\d+) (?:a week|sessions|planned)", {fewer}))
        return Expectation(stated, [state("", fewer)], counts, never=r"forget the old plan")
    least = max(on_grid(planned / 8, 1.0), 1.0)
    counts.append((r"(\d+) sessions a week", {least}))
    return Expectation(stated, counts=counts, says=r"20 minutes")
