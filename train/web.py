"""HTTP with the standard library: JSON out, JSON or lines in, and errors that name the server."""

import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from schemas.errors import DeployError

TIMEOUT_S = 600.0
HERE = frozenset({"127.0.0.1", "::1", "localhost"})


def require_url(url: str) -> str:
    """Gives the URL without a slash at the end.

    Raises:
        DeployError: It is none of http or https.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise DeployError(f"{url[:80]!r}: no URL of a server", "try http://127.0.0.1:11434")
    return url.rstrip("/")


@contextlib.contextmanager
def open_url(url: str, body: Mapping[str, Any] | None = None, *, headers: Mapping[str, str] | None = None,
             method: str | None = None, data: Any = None, timeout_s: float = TIMEOUT_S) -> Iterator[HTTPResponse]:  # fmt: skip
    """Sends a request and gives the answer.

    Args:
        url: Where to.
        body: Sent as JSON by POST.
        headers: Further ones.
        method: GET or POST, by whether there is a body, if absent.
        data: Bytes or an open file to send instead of JSON.
        timeout_s: Seconds without a sign of life.

    Raises:
        DeployError: The server is not there, refuses, or breaks off.
    """
    payload = data if body is None else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"} if body is not None else {}
    request = urllib.request.Request(url, data=payload, headers={**kind, **(headers or {})}, method=method)  # noqa: S310 - require_url
    try:
        with _pick_opener(url).open(request, timeout=timeout_s) as response:
            yield response
    except urllib.error.HTTPError as error:
        detail = _read_detail(error)
        raise DeployError(f"{url}: the server answers {error.code}{detail}", _advise(detail)) from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise DeployError(f"{url}: no answer ({reason})", "is the server running there?") from error


def fetch_json(url: str, body: Mapping[str, Any] | None = None, **options: Any) -> Any:
    """Gives the JSON that a server answers with.

    Raises:
        DeployError: It does not answer, or with something else.
    """
    with open_url(url, body, **options) as response:
        raw = response.read()
    try:
        return json.loads(raw)
    except ValueError as error:
        raise DeployError(f"{url}: the server answers no JSON: {raw[:60]!r}", "is it the right URL?") from error


def _pick_opener(url: str) -> urllib.request.OpenerDirector:
    # A proxy of the environment cannot reach a model on this machine.
    is_here = urlsplit(url).hostname in HERE
    return urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if is_here else []))


def _read_detail(error: urllib.error.HTTPError) -> str:
    """Gives what the server says about it, in one short line."""
    try:
        raw = error.read().decode("utf-8", "replace")
        found = json.loads(raw).get("error", raw)
        text = found.get("message", found) if isinstance(found, dict) else found
    except (OSError, ValueError, AttributeError):
        return ""
    return f": {' '.join(str(text).split())[:200]}" if text else ""


def _advise(detail: str) -> str:
    if "context size" in detail:
        return "the prompt is longer than the model reads: lower prompt.max_tokens, or curator chat --plain"
    return ""
