"""Who is being coached: what a prompt may know of a person, and nothing that names them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\n\r\x00]*$")]
"""One line of free text: a value of a profile can never open a part of a prompt of its own."""


class Schedule(BaseModel):
    """The time there is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days_per_week: int | None = Field(default=None, ge=0, le=7)
    minutes_per_session: int | None = Field(default=None, ge=5, le=300)
    note: Line | None = None


class Profile(BaseModel):
    """A person as the coach needs to know them; no name, no contact, no date of birth."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    training_age_years: float | None = Field(default=None, ge=0, le=80, description="Years of regular practice.")
    age_group: Literal["child", "teenager", "adult", "older_adult"] | None = None
    goal: Line | None = None
    injuries: list[Line] = Field(default=[], max_length=20)
    preferences: list[Line] = Field(default=[], max_length=20)
    schedule: Schedule | None = None
    equipment: list[Line] = Field(default=[], max_length=40)
    units: Literal["kg", "lb"] | None = None
    language: str | None = Field(default=None, pattern=r"^[a-z]{2}$", description="ISO 639-1.")

    def describe(self) -> list[str]:
        """Gives what is known, a line each, in a fixed order; nothing for what is not known."""
        lines: list[str] = []
        if self.training_age_years is not None:
            lines.append(f"Training age: {self.training_age_years:g} years")
        if self.age_group:
            lines.append(f"Age group: {self.age_group.replace('_', ' ')}")
        if self.goal:
            lines.append(f"Goal: {self.goal}")
        lines += [
            f"{title}: {'; '.join(values)}"
            for title, values in (
                ("Injuries and limits", self.injuries),
                ("Preferences", self.preferences),
                ("Equipment", self.equipment),
            )
            if values
        ]
        if self.schedule and (time := _describe_schedule(self.schedule)):
            lines.append(f"Schedule: {time}")
        if self.units:
            lines.append(f"Weights in {self.units}")
        return lines


def _describe_schedule(schedule: Schedule) -> str:
    parts = []
    if schedule.days_per_week is not None:
        parts.append(f"{schedule.days_per_week} days a week")
    if schedule.minutes_per_session is not None:
        parts.append(f"{schedule.minutes_per_session} min a session")
    if schedule.note:
        parts.append(schedule.note)
    return ", ".join(parts)
