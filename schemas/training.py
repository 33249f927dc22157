"""What training reads and reports: rows, offences, estimates, the record of a finished run."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.recipe import Loss, Method, Recipe


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Offence(_Frozen):
    """A rule of the contract and the rows that break it."""

    rule: str
    meaning: str
    ids: list[str] = Field(description="Example ids; `train.jsonl:17` where the export does not carry them.")
    is_fatal: bool = True


class ContractReport(_Frozen):
    """What the check before training has found."""

    release: str
    rows: dict[str, int] = Field(description="Rows by split as read.")
    used: dict[str, int] = Field(description="Rows by split that are trained or validated on.")
    tokens: dict[str, int] = Field(description="Tokens by split, after cutting to the longest length.")
    trained_tokens: dict[str, int] = Field(description="Tokens with a loss, by split.")
    cut: int = Field(description="Rows that were longer than the longest length.")
    stop_tokens: list[str] = Field(description="Tokens that end a trained answer.")
    mask_methods: dict[str, int] = Field(description="How the loss masks were found, with rows.")
    offences: list[Offence]

    @property
    def is_kept(self) -> bool:
        """Whether training may start."""
        return not any(offence.is_fatal for offence in self.offences)


class Memory(_Frozen):
    """Parts of an estimate, in bytes."""

    weights: int
    adapter: int = 0
    gradients: int = 0
    optimiser: int = 0
    activations: int = 0
    cache: int = 0
    logits: int = 0
    overhead: int

    @property
    def total(self) -> int:
        """All of it, in bytes."""
        return sum(self.model_dump().values())


class Estimate(_Frozen):
    """What a run will take."""

    parameters: int
    trained_parameters: int
    training: Memory
    inference: Memory
    rows: int
    tokens_per_epoch: int
    steps: int
    tokens: int
    seconds: float
    is_counted: bool = Field(description="Tokens counted by the base's tokenizer, not taken as bytes / 4.")


class TrainReport(_Frozen):
    """A finished run, as it stands in `train.json`."""

    format_version: Literal[1] = 1
    id: str
    release: str
    lock_sha256: str | None
    export: str
    recipe_name: str
    recipe: Recipe
    recipe_sha256: str
    origins: dict[str, str]
    method: Method
    loss: Loss
    backend: str
    base: str
    base_revision: str | None
    coach_role: str | None
    path: str = Field(description="Folder of the adapter or model.")
    device: str
    precision: str
    metrics: dict[str, Any]
    contract: ContractReport
    estimate: Estimate
    versions: dict[str, str]
    example_ids: list[str] = Field(description="Examples that were trained on, sorted; empty where unknown.")
