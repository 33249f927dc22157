"""The rule file: what the generator draws, decides and says (`rules/*.toml` of a pack)."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.example import CoachRole
from schemas.pack import Name

Scalar = str | int | float | bool
Expression = Annotated[str, Field(description="SQL expression over the drawn columns, evaluated by polars.")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Variable(_Strict):
    """One column of the drawn frame: a number from a range, a choice, a computed value or a row of a table.

    Exactly one of `low`, `choices`, `value`, `table` says which. A table variable `lift` gives the columns `lift`
    (the field `name`) and `lift_<field>` for every other field.
    """

    low: float | str | None = Field(default=None, description="Least value, or an SQL expression that gives it.")
    high: float | str | None = Field(default=None, description="Greatest value, or an SQL expression that gives it.")
    step: float | str | None = Field(default=None, description="Grid of the values; absent means unrounded.")
    follows: dict[str, float] = Field(
        default={}, description="Correlation (-1 to 1) with other number variables, on the normal scale."
    )
    unit: str | None = Field(default=None, description="For the reader: `h`, `lb`, `/10`.")
    choices: list[Scalar] | None = None
    weights: list[float] | None = Field(default=None, description="Of the choices; equal if absent.")
    value: Expression | None = None
    table: str | None = None
    where: Expression | None = Field(default=None, description="Which rows of the table fit what is drawn so far.")

    @model_validator(mode="after")
    def _check_kind(self) -> "Variable":
        kinds = [k for k in ("low", "choices", "value", "table") if getattr(self, k) is not None]
        if len(kinds) != 1:
            raise ValueError(f"found {kinds or 'nothing'}, expected exactly one of low, choices, value, table")
        if self.low is not None and self.high is None:
            raise ValueError("low without high")
        if self.choices is not None and len(self.choices) != len(self.weights or self.choices):
            raise ValueError(f"{len(self.weights or [])} weights for {len(self.choices)} choices")
        if sum(rho * rho for rho in self.follows.values()) > 1:
            raise ValueError("squares of the correlations in follows add up to more than 1")
        return self


class Alternative(_Strict):
    """A way to say it that fits only some rows."""

    text: str
    when: Expression


Phrase = list[str | Alternative]
"""Ways to say one thing; one of those that fit is picked for each row.

Slots in braces are filled with a column or another phrase of that name: `{load}`; with a capital first letter the
value gets one too: `{Load}`; `{tips#1}`, `{tips#2}` are different picks of the same phrase.
"""


class Table(_Strict):
    """Records that variables draw from: in the file itself or in a JSON or TOML file of the pack."""

    rows: list[dict[str, Scalar | list[str]]] = []
    file: str | None = Field(default=None, description="JSON or TOML file of records, relative to the pack.")
    at: str = Field(
        default="", description="Where in the file they are: `drill`, `area.*.faults`; `*` becomes the field `key`."
    )

    @model_validator(mode="after")
    def _check_rows(self) -> "Table":
        if bool(self.rows) == bool(self.file):
            raise ValueError("expected either rows or file")
        if any("name" not in row for row in self.rows):
            raise ValueError("every row needs a name")
        return self


class Persona(_Strict):
    """A kind of person; every value with a list stands for one persona an entry."""

    id: Name
    weight: float = Field(default=1.0, gt=0)
    values: dict[str, Scalar | list[Scalar]] = {}


class Rule(_Strict):
    """One decision and how the coach puts it.

    `when` absent means: where no other rule of the topic holds. Of rules that hold at the same point the one with
    the greater `priority` wins; with equal priorities `curator doctor` reports a contradiction.
    """

    id: Name
    when: Expression | None = None
    priority: int = 0
    action: str = Field(description="The expected action in a few words; kept as metadata, slots allowed.")
    values: dict[str, Expression] = Field(default={}, description="Further columns, computed where the rule holds.")
    answer: Phrase | None = Field(default=None, description="Replaces the answer of the topic.")
    phrases: dict[str, Phrase] = {}


class FollowUp(_Strict):
    """A second turn: what the person asks next and what the coach says to it."""

    ask: Phrase
    answer: Phrase
    when: Expression | None = None


class Topic(_Strict):
    """A situation that people ask about: what is drawn, how they ask, which rules decide it."""

    id: Name
    category: Name | list[Name] = Field(description="One, or several for which the column `category` tells which.")
    subtopic: str = ""
    role: CoachRole | None = Field(default=None, description="The pack's role of the category if absent.")
    weight: float = Field(default=1.0, gt=0, description="Share among the topics of its category.")
    personas: Expression | None = Field(default=None, description="Which personas ask this.")
    variables: dict[str, Variable] = {}
    ask: Phrase
    input: Phrase | None = Field(default=None, description="The input field of the user turn.")
    answer: Phrase = []
    phrases: dict[str, Phrase] = {}
    rules: list[Rule] = Field(min_length=1)
    follow_ups: list[FollowUp] = []
    follow_up_ratio: float = Field(default=0.3, ge=0, le=1, description="Share of rows that get a follow-up turn.")

    @property
    def categories(self) -> list[str]:
        """The categories as a list."""
        return [self.category] if isinstance(self.category, str) else self.category

    @model_validator(mode="after")
    def _check_rules(self) -> "Topic":
        ids = [rule.id for rule in self.rules]
        if len(set(ids)) != len(ids):
            raise ValueError(f"two rules of topic {self.id} have the same id")
        if sum(rule.when is None for rule in self.rules) > 1:
            raise ValueError(f"topic {self.id} has two rules without `when`")
        if not self.answer and any(rule.answer is None for rule in self.rules):
            raise ValueError(f"topic {self.id} has a rule without an answer and no answer of its own")
        return self


class RuleFile(_Strict):
    """One rule file. Several of a pack are merged; names must be unique within a language.

    A file without `language` holds what all languages share.
    """

    language: str | None = None
    variables: dict[str, Variable] = {}
    tables: dict[str, Table] = {}
    personas: list[Persona] = []
    phrases: dict[str, Phrase] = {}
    topics: list[Topic] = []
