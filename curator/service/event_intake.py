"""Takes events of feedback: checks, limits, stores, acknowledges.

The framework needs 2 ms to find the route and its dependencies, ten times what the rest costs, and two hundred clients
send at once. So a short way leads around it for this one address; both ways end in `store_event`.
"""

from typing import TYPE_CHECKING, Any

import orjson
from pydantic import ValidationError

from curator.service.context import Service
from curator.service.errors import ServiceError, describe_error, find_status
from curator.service.security import EVENTS_PATH
from curator.service.tokens import Client
from schemas.errors import CuratorError
from schemas.feedback import EVENT_ADAPTER, FeedbackEvent

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

PATH = EVENTS_PATH
MAX_FAULTS = 5


class ShortWay:
    """Middleware that answers `POST /api/v1/events` itself and hands on everything else.

    Args:
        app: What answers the rest.
        service: The running service.
    """

    def __init__(self, app: "ASGIApp", service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answers an event or hands on."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        scope["curator.route"] = PATH
        headers: dict[str, str] = {}
        try:
            status, answer = 202, await take_event(self._service, scope["state"]["client"], await _read(receive))
        except CuratorError as error:
            status, answer = find_status(error), describe_error(error)
            headers = error.headers if isinstance(error, ServiceError) else {}
        body = orjson.dumps(answer)
        headers = {"content-type": "application/json", "content-length": str(len(body)), **headers}
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})


async def take_event(service: Service, client: Client | None, body: bytes) -> dict[str, Any]:
    """Checks and stores what a client sent and gives its receipt when it is on the disk.

    Raises:
        ServiceError: The client may not (401, 403, 429), the event is none (422), or another has its id (409).
        JournalError: It cannot be stored now.
    """
    if client is None:
        raise ServiceError(401, "not logged in")
    if not client.may("feedback"):
        raise ServiceError(403, f"{client.name} has no scope feedback", "curator serve token add makes a token")
    try:
        event = EVENT_ADAPTER.validate_json(body)
    except ValidationError as error:
        raise ServiceError(
            422, _describe_faults(error), "schemas/json/feedback.schema.json says what an event is"
        ) from error
    return await store_event(service, client, event)


async def store_event(service: Service, client: Client, event: FeedbackEvent) -> dict[str, Any]:
    """Stores a checked event and gives its receipt when it is on the disk.

    Raises:
        ServiceError: The client sends too many (429), or another event has its id (409).
        JournalError: It cannot be stored now.
    """
    service.event_limit.take(client.name)
    text = event.model_dump_json(exclude_none=True)
    receipt = await service.journal.append_event_async(event.event_id, event.kind, client.name, text)
    if receipt == "conflict":
        raise ServiceError(409, f"event {event.event_id}: another event has this id", "an id is used once")
    return {"event_id": event.event_id, "status": receipt}


def _describe_faults(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_input=False)[:MAX_FAULTS]
    places = (".".join(str(part)[:40] for part in fault["loc"]) or "event" for fault in faults)
    return "; ".join(f"{place}: {fault['msg']}" for place, fault in zip(places, faults, strict=True))


async def _read(receive: "Receive") -> bytes:
    pieces = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ServiceError(400, "the request was broken off")
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)
