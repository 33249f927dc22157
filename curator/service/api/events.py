"""Feedback: events of the coaching application, on the disk before they are acknowledged."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict

from curator.journal import Receipt
from curator.service.access import App, Reader, ServiceOf
from curator.service.api.examples import EVENT_EXAMPLES
from curator.service.errors import ServiceError
from schemas.feedback import FeedbackEvent

router = APIRouter(tags=["feedback"])


class EventReceipt(BaseModel):
    """What became of an event."""

    model_config = ConfigDict(frozen=True)

    event_id: str
    status: Receipt


@router.post(
    "/events",
    status_code=202,
    responses={
        409: {"description": "another event has this id"},
        429: {"description": "more events than the client may send; `Retry-After` says when to come again"},
        503: {"description": "the journal cannot take more now; send the same event again"},
    },
)
async def post_event(
    event: Annotated[FeedbackEvent, Body(openapi_examples=EVENT_EXAMPLES)], service: ServiceOf, client: App
) -> EventReceipt:
    """Takes an event of feedback; it is synced to the disk before the answer.

    `event_id` is the idempotency key: the same event sent again is acknowledged (`repeated`) and counts once.
    """
    service.event_limit.take(client.name)
    body = event.model_dump_json(exclude_none=True)
    future = service.journal.append_event(event.event_id, event.kind, client.name, body)
    receipt: Receipt = await asyncio.wrap_future(future)
    if receipt == "conflict":
        raise ServiceError(409, f"event {event.event_id}: another event has this id", "an id is used once")
    return EventReceipt(event_id=event.event_id, status=receipt)


@router.get("/events/counts")
def count_events(service: ServiceOf, client: Reader) -> dict[str, int]:  # noqa: ARG001 - the scope is checked
    """Gives how many events of each kind the journal holds."""
    return service.journal.count_events()
