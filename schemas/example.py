"""The example and the preference: what everything after extraction works on."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.identity import dump_canonical, make_id

MessageRole = Literal["system", "user", "assistant", "tool"]
CoachRole = Literal["insight", "planner", "coach"]

EXAMPLE_COLUMNS: dict[str, str] = {
    "id": "text",
    "input_id": "text",
    "document_id": "text",
    "document_ids": "text[]",
    "extractor": "text",
    "span": "text",
    "messages": "text",
    "rejected": "text?",
    "category": "text?",
    "category_basis": "text?",
    "role": "text?",
    "language": "text?",
    "source_score": "real?",
    "url": "text?",
    "author_hash": "text?",
    "unit_keys": "text[]",
    "metadata": "text",
}
"""Columns of an example frame in order; `?` marks those that may be null.

`messages` is canonical JSON (a list of `{role, content}` and, for a user turn, an optional `input`; tool turns
keep `tool_calls`, `tool_call_id`, `name`). `rejected` is set for preferences alone: the JSON of the assistant
turn that lost against the last one of `messages`. `span` is a JSON object such as `{"lines":[3,17]}`,
`{"seconds":[12.5,40.0]}`, `{"rows":[7,7]}` or `{"documents":["t3_a","t1_b"]}`. `category`, `role`, `language`
are what the source says; the stages decide. `source_score` in 0-1 is the source's own esteem of the answer.
"""


class Message(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: MessageRole
    content: str
    input: str | None = Field(default=None, description="Context of a user turn, joined with a blank line.")
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None


class Example(BaseModel):
    """One conversation with where it came from; the unit of everything after extraction."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    document_id: str
    extractor: str
    span: str
    messages: list[Message]
    unit_keys: list[str] = []
    metadata: str = "{}"


class Preference(BaseModel):
    """A prompt with a better and a worse answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    prompt: list[Message]
    chosen: Message
    rejected: Message
    unit_keys: list[str] = []


def dump_messages(messages: list[dict[str, Any]]) -> str:
    """Gives the canonical JSON of messages; absent and null fields are the same."""
    return dump_canonical([{k: v for k, v in m.items() if v is not None} for m in messages])


def example_id(document_id: str, extractor: str, span: str, messages: str, rejected: str | None = None) -> str:
    """Gives the id of an example, or of a preference where `rejected` is set (32 hex characters).

    Args:
        document_id: The document that the example is read from (a thread: its post).
        extractor: Name of the extractor, such as `page`.
        span: Canonical JSON of the span.
        messages: Canonical JSON of the messages.
        rejected: Canonical JSON of the losing answer of a preference.
    """
    if rejected is None:
        return make_id("example", document_id, extractor, span, messages)
    return make_id("preference", document_id, extractor, span, messages, rejected)
