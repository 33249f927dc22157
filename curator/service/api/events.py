"""Feedback: events of the coaching application, on the disk before they are acknowledged."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict

from curator.journal import Receipt
from curator.service.access import App, Reader, ServiceOf
from curator.service.api.examples import EVENT_EXAMPLES
from curator.service.event_intake import store_event
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
    response_model=EventReceipt,
    responses={
        409: {"description": "another event has this id"},
        422: {"description": "this is no event"},
        429: {"description": "more events than the client may send; `Retry-After` says when to come again"},
        503: {"description": "the journal cannot take more now; send the same event again"},
    },
)
async def post_event(
    event: Annotated[FeedbackEvent, Body(openapi_examples=EVENT_EXAMPLES)], service: ServiceOf, client: App
) -> dict[str, Any]:
    """Takes an event of feedback; it is synced to the disk before the answer.

    `event_id` is the idempotency key: the same event sent again is acknowledged (`repeated`) and counts once.
    """
    return await store_event(service, client, event)


@router.get("/events/counts")
def count_events(service: ServiceOf, client: Reader) -> dict[str, int]:  # noqa: ARG001 - the scope is checked
    """Gives how many events of each kind the journal holds."""
    return service.journal.count_events()
