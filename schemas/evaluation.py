"""Evaluation cases: a question, what a good answer must and must not say, and what came out of asking a model."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.example import CoachRole

SAFETY_TAG = "safety"
Group = Literal["category", "role", "language"]
GROUPS: tuple[Group, ...] = ("category", "role", "language")
"""Fields of a case by which results are counted."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Check(_Strict):
    label: str = Field(default="", description="What the check asks for, in words for the report.")


class _Pattern(_Check):
    pattern: str = Field(description="Regular expression of Python.")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error
        return value


class MustMatch(_Pattern):
    """The answer says it somewhere."""

    kind: Literal["must_match"]


class MustNotMatch(_Pattern):
    """The answer says it nowhere."""

    kind: Literal["must_not_match"]


class MustRecommend(_Check):
    """The answer recommends more, less or the same load; for `more` and `less` it may not recommend the opposite."""

    kind: Literal["must_recommend"]
    direction: Literal["more", "less", "same"]


class MustNotMention(_Check):
    """The answer holds none of these words (whole words, whatever their case)."""

    kind: Literal["must_not_mention"]
    words: list[str] = Field(min_length=1)


class MustRefer(_Check):
    """The answer sends the person to a qualified professional."""

    kind: Literal["must_refer"]


class NumberInRange(_Check):
    """The answer gives a number of that unit from `low` to `high`."""

    kind: Literal["number_in_range"]
    unit: str
    low: float
    high: float

    @model_validator(mode="after")
    def _is_range(self) -> "NumberInRange":
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} lies above high {self.high:g}")
        return self


class MaxWords(_Check):
    """The answer is no longer than that."""

    kind: Literal["max_words"]
    value: int = Field(ge=1)


class HasHeadings(_Check):
    """The answer has these lines, in this order."""

    kind: Literal["has_headings"]
    headings: list[str] = Field(min_length=1)


Check = Annotated[
    MustMatch | MustNotMatch | MustRecommend | MustNotMention | MustRefer | NumberInRange | MaxWords | HasHeadings,
    Field(discriminator="kind"),
]


class CaseMessage(_Strict):
    """One turn of a case."""

    role: Literal["system", "user", "assistant"]
    content: str
    input: str | None = Field(default=None, description="Context of a user turn, joined with a blank line.")

    @property
    def text(self) -> str:
        """The turn as a chat model reads it."""
        return "\n\n".join(part for part in (self.content, self.input) if part)


class EvaluationCase(_Strict):
    """A question with what its answer must fulfil."""

    id: str = Field(min_length=1)
    language: str = "en"
    role: CoachRole = "coach"
    category: str
    tags: list[str] = []
    messages: list[CaseMessage] = Field(min_length=1, description="The last one is the user's.")
    checks: list[Check] = Field(min_length=1)
    reference: str = Field(default="", description="A good answer; it fulfils the checks.")

    @model_validator(mode="after")
    def _ends_with_question(self) -> "EvaluationCase":
        if self.messages[-1].role != "user":
            raise ValueError(f"the last message is of {self.messages[-1].role}, expected user")
        return self

    @property
    def question(self) -> str:
        """What the user says, all turns."""
        return "\n".join(message.text for message in self.messages if message.role == "user")

    @property
    def is_safety(self) -> bool:
        """Whether a wrong answer could hurt somebody."""
        return SAFETY_TAG in self.tags or any(check.kind == "must_refer" for check in self.checks)


class FailedCheck(_Strict):
    """A check that an answer does not fulfil."""

    kind: str
    label: str
    found: str = Field(description="What stands there instead.")


class CaseResult(_Strict):
    """One case asked."""

    case_id: str
    category: str
    role: str
    language: str
    tags: list[str]
    is_safety: bool
    question: str
    answer: str
    reference: str
    failed: list[FailedCheck]
    similarity: float | None = Field(default=None, description="chrF to the reference, 0-1.")
    repetition: float = Field(description="Share of word 4-grams that repeat an earlier one, 0-1.")
    is_refusal: bool

    @property
    def is_passed(self) -> bool:
        """Whether all checks are fulfilled."""
        return not self.failed


class Tally(_Strict):
    """How many of a group passed."""

    passed: int
    cases: int

    @property
    def share(self) -> float:
        """Passed of all, 0-1; 0 for an empty group."""
        return self.passed / self.cases if self.cases else 0.0


class Perplexity(_Strict):
    """How surprised a model is by the answers of the test split."""

    value: float = Field(description="exp of the mean negative log-likelihood of a token.")
    tokens: int = Field(description="Tokens of answers that were scored.")
    rows: int


class EvaluationReport(_Strict):
    """How good a model is."""

    target: str
    kind: Literal["folder", "gguf", "url"]
    cases: list[CaseResult]
    perplexity: Perplexity | None = None
    perplexity_note: str = Field(default="", description="Why there is none.")
    seconds: float = 0.0

    def tally(self, key: Group) -> dict[str, Tally]:
        """Gives the pass counts by a field of the cases, in order of first appearance."""
        groups: dict[str, list[CaseResult]] = {}
        for case in self.cases:
            groups.setdefault(getattr(case, key), []).append(case)
        return {name: tally_cases(cases) for name, cases in groups.items()}

    @property
    def total(self) -> Tally:
        """All cases."""
        return tally_cases(self.cases)

    @property
    def safety(self) -> Tally:
        """Cases where a wrong answer could hurt somebody."""
        return tally_cases([case for case in self.cases if case.is_safety])

    @property
    def similarity(self) -> float | None:
        """Mean chrF of the cases that have a reference."""
        values = [case.similarity for case in self.cases if case.similarity is not None]
        return sum(values) / len(values) if values else None

    @property
    def repetition(self) -> float:
        """Mean share of repeated 4-grams."""
        return sum(case.repetition for case in self.cases) / max(len(self.cases), 1)

    @property
    def refusals(self) -> Tally:
        """Cases that were refused (`passed` counts refusals)."""
        return Tally(passed=sum(case.is_refusal for case in self.cases), cases=len(self.cases))


def tally_cases(cases: list[CaseResult]) -> Tally:
    """Counts the cases that passed."""
    return Tally(passed=sum(case.is_passed for case in cases), cases=len(cases))
