"""From a question to a recorded answer: the user's arm, its prompt, its model, and the event that says what was shown."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from curator.journal import JournalError
from curator.prompt import Prompt
from curator.service.context import Service
from curator.service.gateway.models import Model
from curator.service.gateway.prompting import Asked, build_prompt
from curator.service.gateway.shapes import Json, read_piece
from curator.service.tokens import Client
from schemas.config import ArmConfig
from schemas.example import Message
from schemas.feedback import Recommendation

MAX_TURNS = 99
"""Turns of a conversation that an event keeps, the newest; it takes 100 with the system prompt."""


@dataclass(frozen=True)
class Order:
    """A question as it goes to a model.

    Attributes:
        asked: What the client wants to know.
        user: Whom it is for.
        client: The token by which it came.
        arm: The user's arm; None where no experiment runs.
        model: What answers.
        prompt: What is sent.
        body: The request that the model gets.
        recommendation_id: What ratings and outcomes refer to; None where answers are not recorded.
    """

    asked: Asked
    user: str
    client: Client
    arm: ArmConfig | None
    model: Model
    prompt: Prompt
    body: Json
    recommendation_id: str | None

    def describe(self) -> Json:
        """Gives what a client is told beside the answer."""
        return {
            "role": self.asked.role,
            "citations": self.prompt.citations,
            "recommendation_id": self.recommendation_id,
            "arm": self.arm.name if self.arm else None,
            "model": self.model.version,
        }

    def list_headers(self) -> dict[str, str]:
        """Gives the header that names the recommendation before the answer has come."""
        return {"X-Recommendation-Id": self.recommendation_id} if self.recommendation_id else {}

    def list_turns(self) -> list[dict[str, str]]:
        """Gives the conversation as the model was sent it, without the examples that were shown to it."""
        turns = [*self.asked.history, {"role": "user", "content": self.asked.question}][-MAX_TURNS:]
        return [self.prompt.messages[0], *turns]


async def take_order(service: Service, client: Client, asked: Asked, options: Json) -> Order:
    """Finds the arm of the user, its prompt and its model.

    What the arm sets counts before what the client asks for, else the arms would not be what they are called; what
    neither sets is the role's.

    Args:
        service: The running service.
        client: Who asks.
        asked: What they ask.
        options: Sampling options of the client.

    Raises:
        ServiceError: No model is deployed (503), or the upstream does not say which it has (502).
        ConfigError: The question does not fit the budget or the model.
    """
    user = asked.user or client.name
    arm = service.arms.find(user)
    model = await service.models.find(asked.role, arm.model if arm else None)
    with model.backend.hold():
        capacity = await model.backend.find_capacity(options.get("max_tokens"))
        prompt = await run_in_threadpool(build_prompt, service.kit, service.reader, asked, arm, capacity)
    body = {"model": model.name, "messages": prompt.messages, "temperature": prompt.temperature, **options}
    if arm and arm.temperature is not None:
        body["temperature"] = arm.temperature
    recommendation_id = f"rec-{uuid.uuid4()}" if service.project.config.serve.record_answers else None
    return Order(asked, user, client, arm, model, prompt, body, recommendation_id)


async def watch_answer(service: Service, order: Order, pieces: AsyncIterator[Json]) -> AsyncIterator[Json]:
    """Hands the pieces of an answer on and records it when it is whole; one that breaks off is not recorded."""
    said = []
    async for piece in pieces:
        said.append(read_piece(piece))
        yield piece
    await record_answer(service, order, "".join(said))


async def record_answer(service: Service, order: Order, answer: str) -> None:
    """Writes what was shown into the journal; a journal that cannot be written keeps nobody from being answered."""
    if order.recommendation_id is None:
        return
    try:
        event = _make_event(order, order.recommendation_id, answer)
        text = event.model_dump_json(exclude_none=True)
        await service.journal.append_event_async(event.event_id, event.kind, order.client.name, text)
    except (JournalError, ValidationError):
        # An empty answer, or one over 32,000 characters, is no recommendation.
        service.metrics.count_unrecorded()


def _make_event(order: Order, recommendation_id: str, text: str) -> Recommendation:
    profile: dict[str, Any] = {}
    if order.asked.profile:
        profile = order.asked.profile.model_dump(mode="json", exclude_none=True)
    return Recommendation(
        event_id=f"shown-{recommendation_id}",
        recommendation_id=recommendation_id,
        occurred_at=datetime.now(UTC),
        user=order.user,
        profile=profile,
        inputs=dict(order.asked.inputs),
        prompt=[Message.model_validate(turn) for turn in order.list_turns()],
        answer=text,
        model=order.model.version,
        arm=order.arm.name if order.arm else None,
        role=order.asked.role,
        category=order.prompt.category,
    )
