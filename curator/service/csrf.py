"""Where a request comes from: a page of another site can make a browser send one, but not with this service's value."""

import hmac
from collections.abc import Mapping

from curator.service.hosts import read_host
from curator.service.sessions import CSRF_HEADER, Session

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def find_csrf_fault(method: str, headers: Mapping[str, str], session: Session) -> str | None:
    """Gives why a browser's request is refused, or None.

    Args:
        method: The HTTP method.
        headers: Names in lower case.
        session: The session that its cookie opened.
    """
    if headers.get("sec-fetch-site", "same-origin") == "cross-site" and method not in SAFE_METHODS:
        return "the request comes from another site"
    if method in SAFE_METHODS:
        return None
    if not is_same_origin(headers):
        return "the request comes from another origin"
    if not hmac.compare_digest(headers.get(CSRF_HEADER.lower(), "").encode(), session.csrf.encode()):
        return f"the header {CSRF_HEADER} is missing or wrong"
    return None


def is_same_origin(headers: Mapping[str, str]) -> bool:
    """Tells whether the Origin header, where there is one, names the host that is asked."""
    origin = headers.get("origin")
    if origin is None:
        return True
    _, separator, host = origin.partition("://")
    return bool(separator) and read_host(host) == read_host(headers.get("host", ""))
