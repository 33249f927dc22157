"""The deployment: a model one can talk to, what it was made of, and the proof that it is still the same model."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

DeployStep = Literal["merge", "prompt", "f16", "quantise", "served", "ollama"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServingParameters(_Strict):
    """How a served model picks its next token and where it stops."""

    temperature: float = Field(0.7, ge=0, le=2)
    top_p: float = Field(0.9, gt=0, le=1)
    stop: list[str] = Field(default=[], description="From the tokenizer's own chat template.")


class ParityStep(_Strict):
    """One comparison of the parity gate."""

    step: DeployStep
    is_passed: bool
    measured: float = Field(description="What was measured: a difference, a drift, or the number of mismatches.")
    tolerance: float = Field(description="The largest value that passes.")
    detail: str


class Deployment(_Strict):
    """What `deployments/<id>/deployment.json` holds."""

    id: str
    created_at: str = Field(description="UTC, ISO 8601.")
    model: str = Field(description="The adapter or model folder it was made from, as it was named.")
    base: str | None = Field(default=None, description="The base of an adapter.")
    release_id: str | None = Field(default=None, description="The release that the adapter was trained on.")
    architecture: str
    quantisation: Literal["f16", "q8_0", "q4_k_m"]
    quantiser: str
    gguf: str = Field("model.gguf", description="File in the folder.")
    gguf_sha256: str
    size_bytes: int
    system_prompt: str
    parameters: ServingParameters
    parity: list[ParityStep]
    ollama_model: str | None = Field(default=None, description="Its name in Ollama, where it was created there.")
    versions: dict[str, str] = {}
