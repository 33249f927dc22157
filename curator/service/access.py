"""What an endpoint asks before it answers: who it is, and whether they may."""

from typing import Annotated, Any

from fastapi import Depends, Request

from curator.service.context import Service
from curator.service.errors import ServiceError
from curator.service.tokens import Client, Scope


async def get_service(request: Request) -> Service:
    """Gives the running service."""
    service: Service = request.app.state.service
    return service


def get_client(request: Request) -> Client:
    """Gives who asks.

    Raises:
        ServiceError: Nobody that is known (401).
    """
    client: Client | None = request.state.client
    if client is None:
        raise ServiceError(401, "not logged in")
    return client


def require(scope: Scope) -> Any:
    """Gives a dependency that lets only clients with a scope through."""

    # A coroutine: what is none would be sent to a thread, which costs more than the check.
    async def check(request: Request) -> Client:
        client = get_client(request)
        if not client.may(scope):
            raise ServiceError(403, f"{client.name} has no scope {scope}", "curator serve token add makes a token")
        return client

    return Depends(check)


ServiceOf = Annotated[Service, Depends(get_service)]
Reader = Annotated[Client, require("read")]
Reviewer = Annotated[Client, require("review")]
App = Annotated[Client, require("feedback")]
"""A coaching application: it asks the model and sends what became of the answer."""
