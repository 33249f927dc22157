"""Rules about the weight on the bar, recomputed from the question."""

import re

from curator.truth.expectation import Expectation, exactly, on_grid, state
from curator.truth.quantities import find_load, find_number

_LOWER = r"squat|deadlift|rdl|hip thrust|trap.bar"
_FROM_FLOOR = r"(?<!romanian )deadlift|trap.bar"
_BEST = r"best (?:[a-z\- ]+ )?(?:is )?(\d+(?:\.\d+)?)|\((\d+(?:\.\d+)?) (?:lb|kg) so far"
_DEADLINES = (
    r"where (\d+) weeks",
    r"first (\d+) weeks",
    r"(\d+) weeks are (?:too|enough|realistic)",
    r"not in (\d+) weeks",
)
_SORENESS_SCALE = [4.0, 7.0]
_SLEEP_MARKS = [6.0, 7.0, 7.5, 8.0]


def expect_gate(question: str) -> Expectation | None:
    """Sleep and soreness decide: up 5 lb (2.5 kg), down 10 lb (5 kg), rest, or the same weight."""
    state = _read_state(question)
    load = find_load(question)
    if state is None or load is None:
        return None
    (sleep, soreness), (weight, unit) = state, load
    up, down = (2.5, 5.0) if unit == "kg" else (5.0, 10.0)
    common = _state_numbers(sleep, soreness)
    if sleep < 6 and soreness > 7:
        allowed = {**common, unit: exactly([weight])}
        return Expectation(allowed, says=r"rest|day off|no [\w -]+ today|leave the bar|skip it")
    if sleep > 7.5 and soreness < 4:
        change, size = up, up
    elif sleep < 6 or soreness > 7:
        change, size = -down, down
    else:
        change, size = 0.0, 0.0
    target = weight + change
    never = r"rest day, |day off from" if change >= 0 else None
    return Expectation({**common, unit: exactly([weight, target, size])}, [[(unit, target, 0.0)]], never=never)


def expect_overload(question: str) -> Expectation | None:
    """Two complete sessions: a step up; one: repeat; two short ones: 10 percent less."""
    load = find_load(question)
    goal = re.search(r"(?:\d\s?x\s?(\d+)|\d sets of (\d+)|target (\d+) reps)", question)
    if load is None or goal is None:
        return None
    weight, unit = load
    reps = float(next(group for group in goal.groups() if group))
    rest = re.sub(r"session \d", "", question[goal.end() :])
    done = [float(number) for number in re.findall(r"(?<![\w.])(\d+)(?![\w.]*\d)", rest)][:2]
    if len(done) < 2:
        return None
    first, last = done
    step = _step(question, unit)
    if weight >= (300 if unit == "lb" else 135) and re.search(_FROM_FLOOR, question.lower()):
        step *= 2
    if first >= reps and last >= reps:
        return Expectation({unit: exactly([weight, step, weight + step])}, [state(unit, weight + step)])
    if first < reps and last < reps:
        reset = on_grid(weight * 0.9, _plate(unit))
        return Expectation({unit: exactly([weight, reset])}, [state(unit, reset)])
    return Expectation({unit: exactly([weight, *([step] if last >= reps else [])])}, [[(unit, weight, 0.0)]])


def expect_record(question: str) -> Expectation | None:
    """A record needs more than 8 hours of sleep and soreness under 4."""
    state = _read_state(question)
    best = find_number(_BEST, question.lower())
    load = find_load(question)
    train = re.search(r"(?:are|sets|with|far,) (\d+(?:\.\d+)?) (?:lb|kg)|training is (\d+(?:\.\d+)?)", question)
    if state is None or best is None or load is None or train is None:
        return None
    (sleep, soreness), unit = state, load[1]
    plate = _plate(unit)
    attempt = best + (2 * plate if re.search(_LOWER, question.lower()) else plate)
    ladder = [on_grid(attempt * share, plate) for share in (0.5, 0.7, 0.8, 0.9)]
    common = _state_numbers(sleep, soreness)
    if sleep > 8 and soreness < 4:
        return Expectation({**common, unit: exactly([attempt, *ladder])}, [[(unit, attempt, 0.0)]])
    normal = float(next(group for group in train.groups() if group))
    allowed = {**common, unit: exactly([attempt, normal, ladder[3]])}
    return Expectation(allowed, says=r"not today|wait|postpone|leave|save")


def expect_ramp(question: str) -> Expectation | None:
    """Warm-up sets at 40, 60 and 80 percent of the working weight."""
    load = find_load(question)
    if load is None:
        return None
    weight, unit = load
    bar = 20.0 if unit == "kg" else 45.0
    steps = [max(on_grid(weight * share, _plate(unit)), bar) for share in (0.4, 0.6, 0.8)]
    must = [state(unit, value) for value in (*steps, weight)]
    stated = {weight, *steps}
    counts = [(r"(?<![\w.])(\d{2,3}(?:\.\d)?)(?: x|, | and |,)", {*stated, 10.0})]
    return Expectation({unit: exactly(stated)}, must, counts)


def expect_return(question: str) -> Expectation | None:
    """Back from injury: a professional first; then 60 percent (50 after more than six weeks), 10 more a week."""
    weeks = find_number(r"(\d+) weeks", question)
    load = find_load(question)
    if weeks is None or load is None:
        return None
    weight, unit = load
    if not re.search(r"cleared|may train again", question):
        return Expectation({unit: exactly([weight])}, says=r"doctor|physio|checked first")
    share = 0.6 if weeks <= 6 else 0.5
    steps = [on_grid(weight * (share + more), _plate(unit)) for more in (0.0, 0.1, 0.2)]
    allowed = {unit: exactly([weight, *steps]), "percent": exactly([share * 100, 10.0])}
    return Expectation(allowed, [state(unit, steps[0])])


def expect_goal(question: str) -> Expectation | None:
    """How many weeks a goal takes: one step every one, two or three weeks by training age."""
    weights = re.findall(r"(?<![\w.])(\d+(?:\.\d+)?) (lb|kg)\b", question)
    deadline = find_number(r"(\d+) weeks", question)
    if len(weights) < 2 or deadline is None:
        return None
    unit = weights[0][1]
    now, goal = sorted(float(number) for number, _ in weights[:2])
    pace = _read_pace(question)
    step = _step(question, unit)
    jumps = round((goal - now) / step)
    weeks = jumps * pace
    # As far as the steps lead by the date that was asked for.
    milestone = now + deadline // pace * step
    allowed = {unit: exactly([goal, goal - now, step, milestone]), "weeks": exactly([weeks, deadline, pace])}
    says = r"realistic|can work|good goal" if weeks <= deadline else r"too short|too early|not in|move the date"
    counts = [
        (r"(\d+) steps", {float(jumps)}),
        (r"plan (\d+)\.", {float(weeks)}),
        (r"weeks are too short, (\d+)", {float(weeks)}),
    ]
    return Expectation(allowed, [[("weeks", weeks, 0.0)]], counts, says=says)


def _read_pace(question: str) -> int:
    """Weeks for a step."""
    if re.search(r"first year|beginner", question, re.IGNORECASE):
        return 1
    return 2 if re.search(r"two or three|intermediate", question, re.IGNORECASE) else 3


def expect_scheme(question: str) -> Expectation | None:
    """Linear steps, weekly steps or monthly waves by training age, with percentages of the best single."""
    load = find_load(question)
    if load is None:
        return None
    best, unit = load
    plate = _plate(unit)
    step = _step(question, unit)
    if re.search(r"five months|first year", question, re.IGNORECASE):
        start = on_grid(best * 0.8, plate)
        numbers = {unit: exactly([best, step, start, start + 8 * step])}
        return Expectation(numbers, [state(unit, start), state(unit, start + 8 * step)], says="linear")
    if re.search(r"two years|session-to-session", question, re.IGNORECASE):
        volume = on_grid(best * 0.75, plate)
        light = on_grid(volume * 0.8, plate)
        numbers = {unit: exactly([best, step, volume, light, on_grid(best * 0.85, plate)])}
        return Expectation(numbers, [state(unit, volume), state(unit, light)])
    training = on_grid(best * 0.9, plate)
    waves = [on_grid(training * share, plate) for share in (0.65, 0.75, 0.85)]
    must = [state(unit, value) for value in (training, *waves)]
    return Expectation({unit: exactly([best, plate, training, *waves])}, must, says=r"5/3/1")


def expect_stall(question: str) -> Expectation | None:
    """Stuck: the diet, then sleep, then weekly sets, then a reset, else patience."""
    load = find_load(question)
    sleep = find_number(r"(\d+(?:\.\d+)?) ?(?:h\b|hours)", question)
    sets = find_number(r"(\d+) (?:hard |weekly )?sets|Weekly sets: (\d+)", question)
    weeks = find_number(r"(\d+) weeks", question)
    if load is None or sleep is None or sets is None or weeks is None:
        return None
    weight, unit = load
    reset = on_grid(weight * 0.9, _plate(unit))
    if sleep >= 6 and re.search(r"deficit|dieting", question):
        return Expectation({unit: exactly([weight])}, [[(unit, weight, 0.0)]], says=r"hold|keep|maintain")
    if sleep < 7:
        return Expectation({unit: exactly([weight]), "h": exactly([sleep, 7.0])}, says=r"sleep|bed")
    if sets < 10:
        allowed = {unit: exactly([weight, reset]), "sets": exactly([sets, sets + 3, 3.0, 20.0])}
        return Expectation(allowed, [[("sets", sets + 3, 0.0)]])
    if weeks >= 3:
        return Expectation({unit: exactly([weight, reset])}, [state(unit, reset)])
    return Expectation({unit: exactly([weight])}, says=r"keep going|change nothing|more time")


def _plate(unit: str) -> float:
    """Smallest step of a pair of normal plates."""
    return 2.5 if unit == "kg" else 5.0


def _read_state(question: str) -> tuple[float, float] | None:
    sleep = find_number(r"(?:sleep:? |slept |night was )?(\d+(?:\.\d+)?) ?(?:h\b|hrs|hours)", question)
    soreness = find_number(r"(\d+)/10", question)
    return None if sleep is None or soreness is None else (sleep, soreness)


def _state_numbers(sleep: float, soreness: float) -> dict[str, list[tuple[float, float]]]:
    return {"h": exactly([sleep, *_SLEEP_MARKS]), "of_10": exactly([soreness, *_SORENESS_SCALE])}


def _step(question: str, unit: str) -> float:
    """Gives the usual step: 2.5 lb for pressing and rowing, 5 lb for legs and pulls from the floor."""
    is_lower = re.search(_LOWER, question.lower()) is not None
    if unit == "kg":
        return 2.5 if is_lower else 1.25
    return 5.0 if is_lower else 2.5
