"""The golf report, recomputed from its scores."""

import re

HEADINGS = (
    "WHAT SHOULD HAPPEN (Ideal/Expected):",
    "WHAT IS HAPPENING (Current Issue):",
    "WHAT TO DO (Actionable Steps):",
)
# Which areas feed which: read off the pack's knowledge, kept here a second time on purpose.
RELATED = {
    "setup": ("balance", "body rotation", "consistency", "impact"),
    "tempo and rhythm": ("balance", "weight shift", "body rotation", "setup"),
    "weight shift": ("tempo and rhythm", "balance", "body rotation", "setup"),
    "body rotation": ("setup", "weight shift", "tempo and rhythm", "balance"),
    "impact": ("weight shift", "body rotation", "setup", "tempo and rhythm"),
    "follow-through": ("weight shift", "balance", "body rotation", "tempo and rhythm"),
    "balance": ("setup", "tempo and rhythm", "weight shift", "body rotation"),
    "consistency": ("setup", "tempo and rhythm", "impact", "balance"),
}
_SCORE = re.compile(
    r"(setup|tempo and rhythm|weight shift|body rotation|impact|follow-through|balance|consistency) (0\.\d+|1)"
)


def check_golf(question: str, answer: str) -> list[str] | None:
    """Gives what is wrong with a report; None where the question has no scores.

    Severity follows from the current score (under 0.4 major, under 0.6 moderate, else refinement), the weakest
    related area and the half-way milestone from the scores, the minutes from the practice time.
    """
    area = re.search(r"(?:Quality area|Area to work on|Area): ([A-Za-z\- ]+?)(?: \(|\n|$)", question)
    current = re.search(r"(?:[Cc]urrent score:?|Score now:) (0\.\d+|1)", question)
    target = re.search(r"(?:[Tt]arget score:?|Score wanted:) (0\.\d+|1)", question)
    scores = {name: float(score) for name, score in _SCORE.findall(question)}
    if not (area and current and target and len(scores) == 8):
        return None
    name, now, goal = area.group(1).lower(), float(current.group(1)), float(target.group(1))
    weakest = min(scores[other] for other in RELATED[name])
    named = {score for other, score in scores.items() if f"{other} at {score:g}" in answer.lower()}
    numbers = {now, goal, round(goal - now, 2), weakest} | named
    middle = (now + goal) / 2
    wrong = [] if scores[name] == now else ["current score differs from the list of scores"]
    wrong += _check_form(answer) + _check_severity(answer, now)
    for number in re.findall(r"(?<![\w.])0\.\d+", answer):
        if float(number) not in numbers and abs(float(number) - middle) > 0.0051:
            wrong.append(f"{number} is none of the scores")
    if not any(abs(float(n) - middle) <= 0.0051 for n in re.findall(r"0\.\d+", _part(answer, 2))):
        wrong.append(f"expected a milestone near {middle:.3g}")
    wrong += _check_comparisons(answer, now)
    return wrong + _check_weakest(answer, scores, name, weakest) + _check_minutes(question, answer)


def _part(answer: str, index: int) -> str:
    """Gives what stands under a heading, up to the next one."""
    _, _, below = answer.partition(HEADINGS[index])
    return below.partition(HEADINGS[index + 1])[0] if index + 1 < len(HEADINGS) else below


def _check_form(answer: str) -> list[str]:
    lines = [line for line in answer.split("\n") if re.fullmatch(r"[A-Z ]+ \([A-Za-z/ ]+\):", line)]
    return [] if tuple(lines) == HEADINGS else [f"headings are {lines}"]


def _check_severity(answer: str, now: float) -> list[str]:
    said = set(re.findall(r"\b(major|moderate|refinement)\b", _part(answer, 1)))
    expected = "major" if now < 0.4 else "moderate" if now < 0.6 else "refinement"
    return [] if said == {expected} else [f"severity is {sorted(said)}, expected {expected}"]


def _check_weakest(answer: str, scores: dict[str, float], name: str, weakest: float) -> list[str]:
    named = [other for other in RELATED[name] if scores[other] == weakest]
    # All related areas are listed in brackets; what is called the weakest stands outside of them.
    said = re.sub(r"\([^)]*\)", "", _part(answer, 1).lower())
    is_said = any(other in said for other in named) and f"{weakest:g}" in said
    return [] if is_said else [f"weakest related area is {' or '.join(named)} at {weakest:g}"]


def _check_comparisons(answer: str, now: float) -> list[str]:
    """What is called lower or higher than the area in question has to be."""
    said = _part(answer, 1)
    lower = re.findall(r"ower still is [a-z -]+ at (0\.\d+)|at (0\.\d+) is even lower", said)
    higher = re.findall(r"at (0\.\d+); it is ahead|at (0\.\d+), scores better|at (0\.\d+) included", said)
    wrong = [f"{max(pair)} is not lower" for pair in lower if float(max(pair)) >= now]
    return wrong + [f"{max(found)} is not higher" for found in higher if float(max(found)) <= now]


def _check_minutes(question: str, answer: str) -> list[str]:
    total = re.search(r"of (\d+) minutes", question)
    plan = re.search(r"(?m)^4\. (.+)$", answer)
    if total is None or plan is None:
        return ["the fourth step has no practice time"]
    parts = [int(number) for number in re.findall(r"(\d+) minutes", plan.group(1))]
    return [] if sum(parts) == int(total.group(1)) and min(parts) >= 5 else ["minutes do not add up"]
