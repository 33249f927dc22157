"""The verdict: what a stage decided about one thing, and why."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Stage = Literal["extract", "screen", "categorise", "dedup", "split", "balance", "review"]

VERDICT_COLUMNS: dict[str, str] = {
    "subject_id": "text",
    "is_kept": "bool",
    "reason": "text?",
    "score": "real?",
    "threshold": "real?",
    "partner": "text?",
    "detail": "text?",
}
"""Columns of a verdict frame; stage and fingerprint are added by the shell that writes it.

`subject_id` is an example id, for the stage `extract` a document id. A kept subject has one row; a rejected one
has a row for every rule that it broke. A row with `is_kept` and a reason that starts with `flag:` asks for review.
"""


class Verdict(BaseModel):
    """One decision about one subject."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject_id: str
    stage: Stage
    fingerprint: str
    is_kept: bool
    reason: str | None = None
    score: float | None = None
    threshold: float | None = None
    partner: str | None = None
    detail: str | None = None
