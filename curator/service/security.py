"""The door: every request passes it, and what may not come in is answered here.

Pure ASGI, since it stands before each of some thousand events a second: Host allow-list, size of the body, who asks
(bearer token, token in the path, or session cookie), CSRF for cookies, and the headers of every answer.
"""

import secrets
from collections.abc import MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any

import orjson

from curator.service.csrf import find_csrf_fault
from curator.service.errors import ServiceError, describe_error
from curator.service.hosts import read_host
from curator.service.sessions import COOKIE_NAME, Session
from curator.service.tokens import Client

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from curator.service.context import Service

MAX_BODY_BYTES = 1_000_000
PUBLIC_PATHS = frozenset({"/login", "/api/v1/health", "/favicon.ico"})
STATIC_PREFIX = "/static/"
EVENTS_PATH = "/api/v1/events"
EVENT_HEADERS = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
]
"""For receipts of events, which no browser shows and of which there are thousands a second."""
PATH_TOKEN_PREFIX = "/t/"  # noqa: S105 - a path, not a secret
LOGIN_HINT = "open the address that `curator serve` printed, or send Authorization: Bearer TOKEN"


class Door:
    """The middleware.

    Args:
        app: What is behind the door.
        service: Tokens, sessions and host names.
    """

    def __init__(self, app: "ASGIApp", service: "Service") -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answers a request or hands it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        nonce = "" if scope["path"] == EVENTS_PATH else secrets.token_urlsafe(16)
        guarded_send = _add_headers(send, nonce, scope["path"], is_tls=self._service.is_tls)
        state: dict[str, Any] = scope.setdefault("state", {})
        state |= {"nonce": nonce, "csrf": "", "client": None}
        try:
            headers = _read_headers(scope)
            self._check_host(headers)
            size = _check_size(headers)
            self._identify(scope, headers, state)
        except ServiceError as error:
            await _refuse(scope, guarded_send, error)
            return
        await self._app(scope, receive if size is not None else _cap(receive), guarded_send)

    def _check_host(self, headers: dict[str, str]) -> None:
        name = read_host(headers.get("host", ""))
        if name not in self._service.allowed_hosts:
            raise ServiceError(421, f"host {name[:80]!r} is not served here", "curator serve --allow-host NAME")

    def _identify(self, scope: "Scope", headers: dict[str, str], state: dict[str, Any]) -> None:
        path = scope["path"]
        if path.startswith(PATH_TOKEN_PREFIX):
            state["client"] = self._take_path_token(scope, path)
            return
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            state["client"] = self._service.tokens.find_client(value.strip())
        else:
            session = self._find_session(headers)
            if session is not None:
                fault = find_csrf_fault(scope["method"], headers, session)
                if fault and path not in PUBLIC_PATHS:
                    raise ServiceError(403, fault, "reload the page")
                state |= {"client": session.client, "csrf": session.csrf}
        if state["client"] is None and path not in PUBLIC_PATHS and not path.startswith(STATIC_PREFIX):
            raise ServiceError(401, "not logged in", LOGIN_HINT, {"WWW-Authenticate": "Bearer"})

    def _take_path_token(self, scope: "Scope", path: str) -> Client:
        """Gives whose token stands in `/t/TOKEN/...` and takes it off: clients of Ollama can set nothing but a URL."""
        token, slash, rest = path.removeprefix(PATH_TOKEN_PREFIX).partition("/")
        client = self._service.tokens.find_client(token)
        if client is None or not rest.startswith(("api/chat", "api/generate", "api/tags", "v1/")):
            raise ServiceError(401, "the token in the path is unknown", "curator serve token list")
        scope["path"] = slash + rest
        scope["raw_path"] = scope["path"].encode()
        return client

    def _find_session(self, headers: dict[str, str]) -> Session | None:
        if "cookie" not in headers:
            return None
        try:
            cookie = SimpleCookie(headers["cookie"]).get(COOKIE_NAME)
        except CookieError:
            return None
        return None if cookie is None else self._service.sessions.find(cookie.value)


def _read_headers(scope: "Scope") -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1")
        if name in headers and name in ("host", "authorization", "origin"):
            raise ServiceError(400, f"two {name} headers")
        headers[name] = raw_value.decode("latin-1")
    return headers


def _check_size(headers: dict[str, str]) -> int | None:
    """Gives the announced size of the body, or None when it comes in pieces of unknown number."""
    if "content-length" not in headers:
        return None if "transfer-encoding" in headers else 0
    text = headers["content-length"]
    if not text.isdigit():
        raise ServiceError(400, "Content-Length is no number")
    if int(text) > MAX_BODY_BYTES:
        raise ServiceError(413, f"the body has {int(text):,} bytes, at most {MAX_BODY_BYTES:,} are taken")
    return int(text)


def _cap(receive: "Receive") -> "Receive":
    """Refuses a body that goes on past the limit, when somebody reads it."""
    seen = 0

    async def capped() -> "Message":
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > MAX_BODY_BYTES:
                raise ServiceError(413, f"the body is over {MAX_BODY_BYTES:,} bytes")
        return message

    return capped


def _add_headers(send: "Send", nonce: str, path: str, *, is_tls: bool) -> "Send":
    fixed = (
        [*EVENT_HEADERS]
        if path == EVENTS_PATH
        else [
            (b"content-security-policy", make_policy(nonce).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"DENY"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
        ]
    )
    if is_tls:
        fixed.append((b"strict-transport-security", b"max-age=31536000"))
    if not path.startswith((STATIC_PREFIX, EVENTS_PATH)):
        fixed.append((b"cache-control", b"no-store"))

    async def guarded(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *fixed]
        await send(message)

    return guarded


def make_policy(nonce: str) -> str:
    """Gives the Content-Security-Policy: everything from here, scripts and styles in the page only with the nonce."""
    return (
        "default-src 'none'; "
        f"script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


async def _refuse(scope: "Scope", send: "Send", error: ServiceError) -> None:
    from curator.service.login import render_login

    accepts = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
    wants_page = error.status == 401 and "text/html" in accepts and scope["method"] == "GET"
    kind = "text/html; charset=utf-8" if wants_page else "application/json"
    body = render_login().encode() if wants_page else orjson.dumps(describe_error(error, scope["path"]))
    headers = {"content-type": kind, "content-length": str(len(body)), "connection": "close", **error.headers}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": error.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
