"""The two shapes of requests and answers: OpenAI's and Ollama's."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from curator.service.gateway.prompting import MAX_TEXT, MAX_TURNS, Turn
from schemas.profile import Profile

Json = dict[str, Any]
Shape = Literal["chat", "generate"]
User = Annotated[
    str | None,
    Field(min_length=1, max_length=200, description="Whom it is for; decides the arm. The token's name if absent."),
]


class OpenAIRequest(BaseModel):
    """A chat completion as OpenAI's clients ask for it; `profile` is an addition of this service."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={
            "examples": [
                {
                    "model": "fitness-coach",
                    "messages": [{"role": "user", "content": "I squatted 5x5 at 100 kg, RPE 8. What next?"}],
                    "stream": False,
                }
            ]
        },
    )

    model: str = Field("", max_length=200, description="PACK-insight, PACK-planner, PACK-coach; others are the coach.")
    messages: list[Turn] = Field(min_length=1, max_length=MAX_TURNS)
    stream: bool = False
    temperature: float | None = Field(None, ge=0, le=2, description="The role's if absent.")
    top_p: float | None = Field(None, gt=0, le=1)
    max_tokens: int | None = Field(None, ge=1, le=32_768)
    max_completion_tokens: int | None = Field(None, ge=1, le=32_768)
    stop: str | list[str] | None = Field(None, max_length=1_000)
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    profile: Profile | None = Field(None, description="Who asks.")
    user: User = None

    def pick_options(self) -> Json:
        """Gives what is handed on to the model."""
        options = self.model_dump(include={"temperature", "top_p", "stop", "seed"}, exclude_none=True)
        limit = self.max_completion_tokens or self.max_tokens
        return options | ({"max_tokens": limit} if limit else {})


class OllamaOptions(BaseModel):
    """The options of Ollama that have a meaning here; others are ignored."""

    model_config = ConfigDict(extra="ignore")

    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    num_predict: int | None = Field(None, ge=-2, le=32_768)
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    stop: str | list[str] | None = Field(None, max_length=1_000)

    def pick_options(self) -> Json:
        """Gives what is handed on to the model."""
        options = self.model_dump(include={"temperature", "top_p", "stop", "seed"}, exclude_none=True)
        return options | ({"max_tokens": self.num_predict} if (self.num_predict or 0) > 0 else {})


class OllamaChat(BaseModel):
    """`POST /api/chat` of Ollama."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={
            "examples": [{"model": "coach", "messages": [{"role": "user", "content": "How deep should I squat?"}]}]
        },
    )

    model: str = Field("", max_length=200)
    messages: list[Turn] = Field(min_length=1, max_length=MAX_TURNS)
    stream: bool = Field(True, description="Lines of JSON, as Ollama does unless told otherwise.")
    options: OllamaOptions = OllamaOptions()
    user: User = None


class OllamaGenerate(BaseModel):
    """`POST /api/generate` of Ollama."""

    model_config = ConfigDict(
        extra="ignore", json_schema_extra={"examples": [{"model": "coach", "prompt": "How deep should I squat?"}]}
    )

    model: str = Field("", max_length=200)
    prompt: str = Field(min_length=1, max_length=MAX_TEXT)
    system: str | None = Field(None, max_length=MAX_TEXT)
    stream: bool = True
    options: OllamaOptions = OllamaOptions()
    user: User = None


def describe_models(names: list[str]) -> Json:
    """Gives the list of models in OpenAI's shape."""
    return {
        "object": "list",
        "data": [{"id": name, "object": "model", "created": 0, "owned_by": "curator"} for name in names],
    }


def describe_tags(names: list[str], backend_model: str) -> Json:
    """Gives the list of models in Ollama's shape."""
    details = {
        "format": "gguf",
        "family": backend_model,
        "families": None,
        "parameter_size": "",
        "quantization_level": "",
    }
    rows = [
        {
            "name": name,
            "model": name,
            "modified_at": "1970-01-01T00:00:00Z",
            "size": 0,
            "digest": "",
            "details": details,
        }
        for name in names
    ]
    return {"models": rows}


def read_text(completion: Json) -> str:
    """Gives the text of a whole completion."""
    message = completion["choices"][0].get("message") or {}
    return str(message.get("content") or "")


def read_piece(chunk: Json) -> str:
    """Gives the text of a piece of a completion; empty where it carries something else."""
    choices = chunk.get("choices") or [{}]
    return str((choices[0].get("delta") or {}).get("content") or "")


def shape_line(shape: Shape, model: str, text: str) -> Json:
    """Gives a line of a streamed answer in Ollama's shape."""
    head = {"model": model, "created_at": _now()}
    said = {"message": {"role": "assistant", "content": text}} if shape == "chat" else {"response": text}
    return {**head, **said, "done": False}


def shape_end(shape: Shape, model: str, text: str, started: float, usage: Json) -> Json:
    """Gives the last line, or the whole answer when it is not streamed, in Ollama's shape."""
    return {
        **shape_line(shape, model, text),
        "done": True,
        "done_reason": "stop",
        "total_duration": int((time.monotonic() - started) * 1e9),
        "prompt_eval_count": usage.get("prompt_tokens", 0),
        "eval_count": usage.get("completion_tokens", 0),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
