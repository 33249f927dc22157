"""The decision: one word of a reviewer about one example."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from schemas.example import Message
from schemas.identity import make_id

DecisionKind = Literal["accept", "reject", "edit", "relabel"]


class Decision(BaseModel):
    """What a person decided about one row.

    Accept, reject and edit exclude each other: of those about one row the last one stands. A relabel stands beside
    them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field("", description="Stored once under this id; a hash of the decision if empty.")
    kind: DecisionKind
    subject: str = Field(min_length=6, description="Id of the example, or the beginning of it.")
    reviewer: str = Field(min_length=1, max_length=100, description="Who decided.")
    decided_at: AwareDatetime = Field(description="When; later decisions go before earlier ones.")
    reason: str | None = Field(None, max_length=200, description="Why a row is rejected.")
    category: str | None = Field(None, description="relabel: the category; null takes an earlier relabel back.")
    messages: list[Message] | None = Field(None, description="edit: the whole conversation as it shall be.")
    rejected: list[Message] | None = Field(None, description="edit of a preference: the losing answer.")

    @model_validator(mode="after")
    def _check_parts(self) -> "Decision":
        if (self.kind == "edit") != bool(self.messages):
            raise ValueError("messages belong to an edit, and an edit needs them")
        if self.rejected is not None and self.kind != "edit":
            raise ValueError("rejected belongs to an edit")
        if self.category is not None and self.kind != "relabel":
            raise ValueError("category belongs to a relabel")
        return self

    def find_id(self) -> str:
        """Gives the id that was given, or a hash of everything else."""
        return self.id or make_id("decision", self.model_dump_json(exclude={"id"}))
