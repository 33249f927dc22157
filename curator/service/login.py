"""Logging in: the one-time link that the terminal prints, or a token typed into a form."""

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from curator.service.context import Service
from curator.service.csrf import is_same_origin
from curator.service.errors import ServiceError
from curator.service.sessions import COOKIE_NAME, LIFETIME_S

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>curator: log in</title><link rel="stylesheet" href="/static/app.css">{head}</head>
<body class="login"><main><h1>curator</h1>{body}</main></body></html>"""
FORM = """<p>Open the address that <code>curator serve</code> printed in its terminal, or log in with an API token.</p>
<form method="post" action="/login"><label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required>
<button>Log in</button></form>"""
# The next page is asked for by this one, not by the link: browsers withhold a SameSite=Strict cookie from a redirect
# that began on another site, such as a chat in which the link was sent.
FORWARD = '<meta http-equiv="refresh" content="0;url=/">'
WELCOME = '<p>Logged in: <a href="/">on to the corpus</a>.</p>'


def render_login() -> str:
    """Gives the page for whoever is not logged in."""
    return PAGE.format(head="", body=FORM)


def make_login_router(service: Service) -> APIRouter:
    """Gives `/login` and `/logout`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    def open_link(token: str = "") -> Response:
        cookie = service.sessions.redeem(token) if token else None
        if cookie is None:
            return HTMLResponse(render_login(), status_code=401)
        return _welcome(service, cookie)

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        if not is_same_origin(dict(request.headers)):
            raise ServiceError(403, "the request comes from another origin")
        values = parse_qs((await request.body()).decode("utf-8", "replace"))
        text = values.get("token", [""])[0].strip()
        client = service.tokens.find_client(text)
        cookie = service.sessions.redeem(text) if client is None else service.sessions.open(client)
        if cookie is None:
            return HTMLResponse(render_login(), status_code=401)
        return _welcome(service, cookie)

    @router.post("/logout")
    def log_out(request: Request) -> Response:
        service.sessions.close(request.cookies.get(COOKIE_NAME, ""))
        answer = HTMLResponse(render_login())
        answer.delete_cookie(COOKIE_NAME)
        return answer

    return router


def _welcome(service: Service, cookie: str) -> HTMLResponse:
    answer = HTMLResponse(PAGE.format(head=FORWARD, body=WELCOME))
    answer.set_cookie(
        COOKIE_NAME, cookie, max_age=LIFETIME_S, httponly=True, samesite="strict", secure=service.is_tls, path="/"
    )
    return answer
