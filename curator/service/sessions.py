"""Browser sessions: a one-time link opens the first one; each has a CSRF value that scripts must send back."""

import hashlib
import hmac
import secrets
import threading
import time
from dataclasses import dataclass

from curator.service.tokens import SCOPES, Client

COOKIE_NAME = "curator_session"
CSRF_HEADER = "X-CSRF-Token"
LIFETIME_S = 12 * 3600
MAX_SESSIONS = 1000


@dataclass(frozen=True)
class Session:
    """One browser that has logged in.

    Attributes:
        client: Who it is.
        csrf: What an unsafe request must carry in `X-CSRF-Token`.
        expires_at: Monotonic seconds.
    """

    client: Client
    csrf: str
    expires_at: float


class Sessions:
    """The open sessions; they live in memory and end with the process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._one_time: set[str] = set()

    def make_link_token(self) -> str:
        """Gives a token that opens one session, once."""
        token = secrets.token_urlsafe(32)
        with self._guard:
            self._one_time.add(_hash(token))
        return token

    def redeem(self, token: str) -> str | None:
        """Gives the cookie value for a one-time token, or None when it is unknown or used up."""
        with self._guard:
            found = next((known for known in self._one_time if hmac.compare_digest(known, _hash(token))), None)
            if found is None:
                return None
            self._one_time.remove(found)
        return self.open(Client("local", frozenset(SCOPES)))

    def open(self, client: Client) -> str:
        """Opens a session and gives its cookie value."""
        value = secrets.token_urlsafe(32)
        with self._guard:
            while len(self._sessions) >= MAX_SESSIONS:
                self._sessions.pop(next(iter(self._sessions)))
            self._sessions[_hash(value)] = Session(client, secrets.token_urlsafe(24), time.monotonic() + LIFETIME_S)
        return value

    def find(self, value: str) -> Session | None:
        """Gives the session of a cookie value, or None."""
        session = self._sessions.get(_hash(value))
        if session is None or session.expires_at < time.monotonic():
            return None
        return session

    def close(self, value: str) -> None:
        """Ends a session."""
        with self._guard:
            self._sessions.pop(_hash(value), None)


def _hash(text: str) -> str:
    # Looked up by hash, so that how long it takes says nothing about the value.
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
