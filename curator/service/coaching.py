"""The coach as a form: a typed check-in becomes a question, and the model's answer a checked structure."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from curator.truth.golf import HEADINGS, RELATED
from schemas.example import CoachRole
from schemas.profile import Line, Profile

Score = Annotated[float, Field(ge=0, le=1)]
AREAS = tuple(RELATED)
"""The eight quality areas of a swing, as they are written."""
PARTS = ("expected", "current", "actions")
NUMBERED = re.compile(r"^\s*(?:\d+[.)]|[-*•])\s+(.+)$", re.MULTILINE)
LOAD = re.compile(r"(\d+(?:[.,]\d+)?)\s*(kg|lbs?)\b", re.IGNORECASE)
MAX_STEP_UP = 1.25
"""A load over this multiple of the one in the log is taken for a slip of the model, not for advice."""
MIN_WORDS = 3


class _CheckIn(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    role: CoachRole = "coach"
    profile: Profile | None = None
    note: Annotated[str, Field(max_length=1_000)] = ""
    user: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="Whom it is for; decides the arm. The token's name if absent."
    )


class LoggedSet(BaseModel):
    """One set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reps: int = Field(ge=0, le=200)
    rpe: float | None = Field(None, ge=1, le=10, description="Rate of perceived exertion.")


class LoggedSession(BaseModel):
    """The sets of one session, in order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sets: list[LoggedSet] = Field(min_length=1, max_length=30)


class FitnessCheckIn(_CheckIn):
    """The log of one exercise; the answer says what to load next."""

    kind: Literal["fitness"] = "fitness"
    exercise: Line
    load: float = Field(gt=0, le=1_000)
    unit: Literal["kg", "lb"] = "kg"
    target_sets: int = Field(ge=1, le=30)
    target_reps: int = Field(ge=1, le=200)
    sessions: list[LoggedSession] = Field(min_length=1, max_length=20, description="Oldest first.")


class GolfCheckIn(_CheckIn):
    """The scores of a swing; the answer has exactly three headed parts."""

    kind: Literal["golf"] = "golf"
    scores: dict[str, Score] = Field(description=f"All of: {', '.join(AREAS)}.")
    area: Literal["setup", "tempo and rhythm", "weight shift", "body rotation", "impact", "follow-through", "balance", "consistency"] = Field(description="The area to work on.")  # fmt: skip
    target: Score = Field(description="The score wanted in that area.")
    swing_type: Literal["power", "precision", "balanced"] = "balanced"
    practice_minutes: int = Field(45, ge=10, le=600)

    @model_validator(mode="after")
    def _check_scores(self) -> "GolfCheckIn":
        if set(self.scores) != set(AREAS):
            missing, unknown = sorted(set(AREAS) - set(self.scores)), sorted(set(self.scores) - set(AREAS))
            raise ValueError(f"scores: missing {missing}, unknown {[name[:40] for name in unknown[:8]]}")
        if self.target <= self.scores[self.area]:
            raise ValueError(f"target {self.target:g}: expected more than the score of {self.scores[self.area]:g}")
        return self


CheckIn = Annotated[FitnessCheckIn | GolfCheckIn, Field(discriminator="kind")]


class FitnessAnswer(BaseModel):
    """What the coach says about a log.

    Attributes:
        text: The whole answer.
        steps: Its numbered or bulleted points; its sentences where it has none.
        next_load: The load it names first, in the unit of the log; None where it names none.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["fitness"] = "fitness"
    text: str
    steps: list[str]
    next_load: float | None


class GolfAnswer(BaseModel):
    """What the coach says about a swing.

    Attributes:
        text: The whole answer.
        expected: What should happen.
        current: What is happening.
        actions: What to do.
        steps: The numbered points of what to do.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["golf"] = "golf"
    text: str
    expected: str
    current: str
    actions: str
    steps: list[str]


def spell_check_in(check_in: FitnessCheckIn | GolfCheckIn) -> str:
    """Gives the question that a check-in asks, in the words that the corpus uses."""
    text = _spell_golf(check_in) if isinstance(check_in, GolfCheckIn) else _spell_fitness(check_in)
    return f"{text}\n{check_in.note}".strip()


def read_answer(check_in: FitnessCheckIn | GolfCheckIn, text: str) -> tuple[FitnessAnswer | GolfAnswer | None, str]:
    """Gives the structure of an answer, or None and what is wrong with it, addressed to the model."""
    text = text.strip()
    if isinstance(check_in, GolfCheckIn):
        return _read_golf(text)
    return _read_fitness(check_in, text)


def _spell_fitness(check_in: FitnessCheckIn) -> str:
    goal = f"{check_in.target_sets}x{check_in.target_reps}"
    lines = [f"{check_in.exercise} log, {check_in.load:g} {check_in.unit}, goal {goal}:"]
    for number, session in enumerate(check_in.sessions, 1):
        lines.append(f"- session {number}: {', '.join(map(_spell_set, session.sets))}")
    return "\n".join([*lines, "What should I do next session, and at which load?"])


def _spell_set(logged: LoggedSet) -> str:
    return f"{logged.reps} reps" + (f" at RPE {logged.rpe:g}" if logged.rpe is not None else "")


def _spell_golf(check_in: GolfCheckIn) -> str:
    scores = ", ".join(f"{area} {check_in.scores[area]:.2f}" for area in AREAS)
    return "\n".join(
        [
            f"Assess my {check_in.area} and tell me how to reach the target score.",
            f"Area: {check_in.area.capitalize()}",
            f"Current score: {check_in.scores[check_in.area]:.2f}",
            f"Target score: {check_in.target:.2f}",
            f"Swing type: {check_in.swing_type}",
            f"Scores: {scores}",
            f"Practice time: {check_in.practice_minutes} minutes",
            "Answer in exactly three parts under these headings, each on a line of its own:",
            *HEADINGS,
        ]
    )


def _read_fitness(check_in: FitnessCheckIn, text: str) -> tuple[FitnessAnswer | None, str]:
    if len(text.split()) < MIN_WORDS:
        return None, "The answer is empty. Say what to do next session."
    loads = [
        float(number.replace(",", ".")) for number, unit in LOAD.findall(text) if unit[:1].lower() == check_in.unit[0]
    ]
    too_heavy = [load for load in loads if load > check_in.load * MAX_STEP_UP]
    if too_heavy:
        return None, (
            f"The answer names {too_heavy[0]:g} {check_in.unit}; the log is at {check_in.load:g} {check_in.unit}. "
            "Keep to loads that follow from the log."
        )
    return FitnessAnswer(text=text, steps=_find_steps(text), next_load=_find_next(check_in, loads)), ""


def _find_next(check_in: FitnessCheckIn, loads: list[float]) -> float | None:
    """Gives the load that is advised: the first that differs from the one in the log, else that one."""
    changed = [load for load in loads if load != check_in.load and load >= check_in.load * 0.5]
    return changed[0] if changed else (check_in.load if loads else None)


def _read_golf(text: str) -> tuple[GolfAnswer | None, str]:
    lines = [line.strip(" *#") for line in text.split("\n")]
    places = [position for position, line in enumerate(lines) if line in HEADINGS]
    found = [lines[position] for position in places]
    if tuple(found) != HEADINGS or any(lines[: places[0]]):
        return None, f"Write exactly three parts under these headings, nothing before them: {' '.join(HEADINGS)}"
    ends = [*places[1:], len(lines)]
    bodies = ["\n".join(lines[start + 1 : end]).strip() for start, end in zip(places, ends, strict=True)]
    if any(len(body.split()) < MIN_WORDS for body in bodies):
        return None, "Every one of the three parts needs a text under its heading."
    whole = "\n\n".join(f"{heading}\n{body}" for heading, body in zip(HEADINGS, bodies, strict=True))
    return GolfAnswer(text=whole, **dict(zip(PARTS, bodies, strict=True)), steps=_find_steps(bodies[2])), ""


def _find_steps(text: str) -> list[str]:
    points = [point.strip() for point in NUMBERED.findall(text)]
    return points or [part.strip() for part in re.split(r"(?<=[.!?])\s+", text) if part.strip()]
