"""What people say about recommendations and what really happened: events of the feedback loop.

Every event has an id of the sender's choosing, which is its idempotency key: the same event sent twice counts once.
All but the first kind name the recommendation they speak of; they may arrive before it or a week later.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from schemas.example import CoachRole, Message

JOURNAL = Path(".curator") / "journal.db"
"""Where the service keeps events and reviewers' decisions, seen from the project folder."""

EventKind = Literal["recommendation", "rating", "adherence", "outcome", "correction"]
Outcome = Literal["achieved", "held", "too_hard", "injury", "missed"]

Key = Annotated[str, Field(min_length=8, max_length=100, pattern=r"^[A-Za-z0-9_.:-]+$")]
ShortText = Annotated[str, Field(min_length=1, max_length=200)]
LongText = Annotated[str, Field(min_length=1, max_length=32_000)]
Values = Annotated[dict[str, Any], Field(max_length=100)]


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    event_id: Key = Field(description="Chosen by the sender and unique for ever; the same id again is a repetition.")
    occurred_at: AwareDatetime = Field(description="When it happened, with a time zone.")
    user: ShortText | None = Field(
        default=None, description="The sender's name of the user; only a salted hash leaves the journal."
    )


class Recommendation(_Event):
    """A recommendation was shown to a user."""

    kind: Literal["recommendation"] = "recommendation"
    recommendation_id: Key = Field(description="What later events refer to.")
    profile: Values = Field(default={}, description="Who the user is: training age, injuries, equipment, ...")
    inputs: Values = Field(default={}, description="The check-in that it answers: a training log, scores, ...")
    prompt: list[Message] = Field(min_length=1, max_length=100, description="The conversation as it was sent.")
    answer: LongText = Field(description="What was shown.")
    model: ShortText = Field(description="Name and version of the model that answered.")
    arm: ShortText | None = Field(default=None, description="The arm of an A/B test that the user is in.")
    role: CoachRole | None = None
    category: ShortText | None = None


class _Reply(_Event):
    recommendation_id: Key = Field(description="The recommendation it is about.")


class Rating(_Reply):
    """What the user thinks of it."""

    kind: Literal["rating"] = "rating"
    rating: int = Field(strict=True, ge=1, le=5, description="1 is useless, 5 is just right.")
    comment: LongText | None = None


class Adherence(_Reply):
    """Whether the user did what was recommended."""

    kind: Literal["adherence"] = "adherence"
    is_followed: bool


class OutcomeReport(_Reply):
    """What came of it."""

    kind: Literal["outcome"] = "outcome"
    outcome: Outcome = Field(description="achieved: the record or goal was reached; held: no change for the worse.")
    detail: LongText | None = None


class Correction(_Reply):
    """What should have been said instead."""

    kind: Literal["correction"] = "correction"
    corrected_answer: LongText


FeedbackEvent = Annotated[Recommendation | Rating | Adherence | OutcomeReport | Correction, Field(discriminator="kind")]

EVENT_ADAPTER: TypeAdapter[Recommendation | Rating | Adherence | OutcomeReport | Correction] = TypeAdapter(
    FeedbackEvent
)
"""Validates one event of any kind, from JSON or from a dict."""
