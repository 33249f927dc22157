"""The endpoints of the gateway: `/v1/...` as OpenAI has them, `/api/...` as Ollama has them."""

import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response, StreamingResponse

from curator.service.access import App, ServiceOf
from curator.service.context import Service
from curator.service.errors import ServiceError, describe_error
from curator.service.gateway.answering import record_answer, take_order, watch_answer
from curator.service.gateway.prompting import Asked, Turn, find_role, name_model, read_turns
from curator.service.gateway.shapes import (
    Json,
    OllamaChat,
    OllamaGenerate,
    OpenAIRequest,
    Shape,
    describe_models,
    describe_tags,
    read_piece,
    read_text,
    shape_end,
    shape_line,
)
from curator.service.tokens import Client

FAULTS: dict[int | str, dict[str, Any]] = {
    429: {"description": "the model's server is busy"},
    502: {"description": "the model's server does not answer, or not with an answer"},
    503: {"description": "no model is deployed"},
    504: {"description": "the model takes too long"},
}


def make_gateway_router() -> APIRouter:
    """Gives the endpoints of both shapes."""
    router = APIRouter()
    router.add_api_route("/v1/models", list_models, methods=["GET"], tags=["openai"])
    router.add_api_route(
        "/v1/chat/completions", complete_chat, methods=["POST"], tags=["openai"], responses=FAULTS, response_model=None
    )
    router.add_api_route("/api/tags", list_tags, methods=["GET"], tags=["ollama"])
    for path, endpoint in (("/api/chat", ollama_chat), ("/api/generate", ollama_generate)):
        router.add_api_route(path, endpoint, methods=["POST"], tags=["ollama"], responses=FAULTS, response_model=None)
    return router


async def list_models(service: ServiceOf, client: App) -> Json:  # noqa: ARG001 - the scope is checked
    """Gives the coach's roles as models."""
    return describe_models(_list_names(service))


async def list_tags(service: ServiceOf, client: App) -> Json:  # noqa: ARG001
    """Gives the coach's roles as models, in Ollama's shape."""
    return describe_tags(_list_names(service), service.pack.name)


async def complete_chat(request: OpenAIRequest, service: ServiceOf, client: App) -> Response:
    """Answers a conversation with the pack's prompts around it; `stream` sends server-sent events.

    The addition `curator` of an answer (of the first event, when streamed) says what it may cite, in which arm of the
    experiment `user` is, which model answers, and the `recommendation_id` that ratings and outcomes refer to; the
    header `X-Recommendation-Id` says it too.
    """
    role = find_role(service.pack, request.model)
    asked = read_turns(request.messages, role, request.profile, request.user)
    order = await take_order(service, client, asked, request.pick_options())
    model = request.model or name_model(service.pack, role)
    if not request.stream:
        found = await order.model.backend.complete(order.body)
        await record_answer(service, order, read_text(found))
        return JSONResponse({**found, "model": model, "curator": order.describe()}, headers=order.list_headers())
    pieces = watch_answer(service, order, await _start(order.model.backend.stream(order.body)))
    events = _send_events(pieces, model, order.describe())
    return StreamingResponse(events, media_type="text/event-stream", headers=order.list_headers())


async def ollama_chat(request: OllamaChat, service: ServiceOf, client: App) -> Response:
    """Answers a conversation in Ollama's shape; streams lines of JSON unless `stream` is false."""
    asked = read_turns(request.messages, find_role(service.pack, request.model), user=request.user)
    return await _answer_ollama(service, client, asked, request, "chat")


async def ollama_generate(request: OllamaGenerate, service: ServiceOf, client: App) -> Response:
    """Answers one prompt in Ollama's shape; streams lines of JSON unless `stream` is false."""
    turns = [Turn(role="system", content=request.system)] if request.system else []
    turns.append(Turn(role="user", content=request.prompt))
    asked = read_turns(turns, find_role(service.pack, request.model), user=request.user)
    return await _answer_ollama(service, client, asked, request, "generate")


async def _answer_ollama(
    service: Service, client: Client, asked: Asked, request: OllamaChat | OllamaGenerate, shape: Shape
) -> Response:
    started = time.monotonic()
    order = await take_order(service, client, asked, request.options.pick_options())
    backend, added = order.model.backend, {"curator": order.describe()}
    if not request.stream:
        found = await backend.complete(order.body)
        await record_answer(service, order, read_text(found))
        whole = shape_end(shape, request.model, read_text(found), started, found.get("usage") or {})
        return JSONResponse(whole | added, headers=order.list_headers())
    pieces = watch_answer(service, order, await _start(backend.stream(order.body)))
    lines = _send_lines(pieces, request.model, shape, started, added)
    return StreamingResponse(lines, media_type="application/x-ndjson", headers=order.list_headers())


async def _start(pieces: AsyncIterator[Json]) -> AsyncIterator[Json]:
    """Waits for the first piece, so that a model that does not answer is still told by the status."""
    try:
        first: Json | None = await anext(pieces)
    except StopAsyncIteration:
        first = None

    async def go_on() -> AsyncIterator[Json]:
        if first is not None:
            yield first
        async for piece in pieces:
            yield piece

    return go_on()


async def _send_events(pieces: AsyncIterator[Json], model: str, added: Json) -> AsyncIterator[bytes]:
    extra: Json = {"curator": added}
    try:
        async for piece in pieces:
            yield b"data: " + orjson.dumps({**piece, "model": model, **extra}) + b"\n\n"
            extra = {}
    except ServiceError as error:
        yield b"data: " + orjson.dumps(describe_error(error)) + b"\n\n"
    yield b"data: [DONE]\n\n"


async def _send_lines(
    pieces: AsyncIterator[Json], model: str, shape: Shape, started: float, added: Json
) -> AsyncIterator[bytes]:
    usage: Json = {}
    try:
        async for piece in pieces:
            usage = piece.get("usage") or usage
            text = read_piece(piece)
            if text:
                yield orjson.dumps(shape_line(shape, model, text)) + b"\n"
        yield orjson.dumps({**shape_end(shape, model, "", started, usage), **added}) + b"\n"
    except ServiceError as error:
        yield orjson.dumps({"error": error.message}) + b"\n"


def _list_names(service: Service) -> list[str]:
    return [name_model(service.pack, str(role)) for role in service.pack.roles]
