"""The application: the door, the routers of the API, the pages, and what errors look like."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from curator.service.api import make_api_router
from curator.service.context import Service
from curator.service.errors import ServiceError, describe_error, find_status
from curator.service.event_intake import ShortWay
from curator.service.gateway.routes import make_gateway_router
from curator.service.login import make_login_router
from curator.service.metrics import Watch
from curator.service.security import EVENTS_PATH, Door
from schemas.errors import CuratorError

STATIC = Path(__file__).parent / "static"
WARM_S = 10.0
"""How long the service waits for the figures of the first page before it answers anyway."""


def create_app(service: Service, *, has_pages: bool = True) -> FastAPI:
    """Gives the application of a service; it closes the service when it ends.

    Args:
        service: Its parts.
        has_pages: Whether it serves the pages beside the API.
    """

    @contextlib.asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        preparing = asyncio.ensure_future(asyncio.to_thread(service.reader.prepare))
        await run_in_threadpool(service.sql_pool.warm)
        # Their imports take both cores of a small machine: the first two hundred clients would wait for them.
        await run_in_threadpool(service.sql_pool.wait_until_warm)
        # Whoever comes first finds the figures worked out, but events need not wait for those of a very large corpus.
        await asyncio.wait([preparing], timeout=WARM_S)
        yield
        await service.models.close()
        await run_in_threadpool(service.close)

    app = FastAPI(
        title="curator",
        summary="The corpus, its review and its coach over HTTP.",
        version=version("corpus-curator"),
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=live,
    )
    app.state.service = service
    # The last one added is the outermost.
    app.add_middleware(ShortWay, service=service)
    app.add_middleware(Door, service=service)
    app.add_middleware(Watch, metrics=service.metrics, log=service.log)
    app.add_exception_handler(CuratorError, _answer_error)
    app.include_router(make_login_router(service))
    app.include_router(make_api_router())
    app.include_router(make_gateway_router())
    if has_pages:
        _add_pages(app, service)
    if has_pages and STATIC.is_dir():
        app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


def make_front(app: FastAPI, service: Service) -> ASGIApp:
    """Gives what a server is to call: the application, and for events a way past the framework, through the same door."""
    short = Watch(Door(ShortWay(app, service), service), service.metrics, service.log)

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        is_event = scope["type"] == "http" and scope["path"] == EVENTS_PATH and scope["method"] == "POST"
        await (short if is_event else app)(scope, receive, send)

    return front


def _add_pages(app: FastAPI, service: Service) -> None:
    from importlib.util import find_spec

    found = find_spec("curator.service.pages")
    if found is not None and found.origin:
        from curator.service.pages import make_router

        app.include_router(make_router(service))


async def _answer_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, CuratorError):
        raise error
    headers = error.headers if isinstance(error, ServiceError) else None
    return JSONResponse(describe_error(error, request.url.path), status_code=find_status(error), headers=headers)
