"""Asks Reddit through PRAW, and waits or gives up politely where PRAW does not.

PRAW paces itself by Reddit's rate-limit headers, refreshes tokens and tries thrice on 5xx and dropped connections,
but never again after a 429 or an HTML page: that is done here.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from schemas.errors import ConfigError, SourceInterruptedError

if TYPE_CHECKING:
    import praw

SETTINGS = ("REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET", "REDDIT_USER_AGENT")
ENDPOINT = "CURATOR_REDDIT_ENDPOINT"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
REDDIT_URL, OAUTH_URL = "https://www.reddit.com", "https://oauth.reddit.com"
OFFLINE_DOORS = "Reddit grants API access on request only; without it use --dump PATH or --saved PATH"
MAX_TRIES = 6
FIRST_WAIT_S = 2.0
# Longer waits are better spent elsewhere: the run stops and goes on later.
MAX_WAIT_S = 600.0


@dataclass(frozen=True)
class Request:
    """One request of the API.

    Attributes:
        path: Relative to the API's root.
        params: Of the query.
        data: Of the body; a POST where present.
    """

    path: str
    params: Mapping[str, str | int]
    data: Mapping[str, str] | None = None


class RefusedError(Exception):
    """Reddit will not show this one thing; the rest goes on.

    Attributes:
        reason: For the rejection.
        detail: For the rejection.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class RedditClient:
    """The real PRAW client, read-only, with patience.

    Args:
        environment: Holds the credentials (`SETTINGS`); where it has none of them, PRAW looks for a praw.ini.

    Attributes:
        num_requests: Requests so far, repeated ones included.

    Raises:
        ConfigError: PRAW or a setting is missing.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._reddit = _connect(environment)
        self.num_requests = 0

    def ask(self, request: Request) -> Any:
        """Gives the parsed answer.

        Raises:
            RefusedError: Private, banned, gone or forbidden.
            ConfigError: The credentials are refused.
            SourceInterruptedError: Reddit keeps saying no, or wants a wait of more than ten minutes.
        """
        wait_s = FIRST_WAIT_S
        for attempt in range(1, MAX_TRIES + 1):
            self.num_requests += 1
            try:
                return self._reddit.request(
                    method="GET" if request.data is None else "POST",
                    path=request.path,
                    params=dict(request.params),
                    data=None if request.data is None else dict(request.data),
                )
            except Exception as error:
                asked_s = _judge(error, request)
                pause_s = wait_s if asked_s is None else asked_s
                if attempt == MAX_TRIES or pause_s > MAX_WAIT_S:
                    raise _interrupt(error, pause_s) from error
                time.sleep(pause_s)
                wait_s *= 2
        raise AssertionError("the last attempt returns or raises")


def _connect(environment: Mapping[str, str]) -> "praw.Reddit":
    try:
        import praw
        import requests
        from praw.exceptions import MissingRequiredAttributeException
    except ImportError as error:
        raise ConfigError(
            "reddit: the library praw is not installed", "pip install 'corpus-curator[reddit]'"
        ) from error
    found = {name: environment.get(name, "").strip() for name in SETTINGS}
    if any(found.values()) and not all(found.values()):
        raise _explain_missing([name for name, value in found.items() if not value])
    endpoint = _find_endpoint(environment)
    session = requests.Session()
    # A stub on this machine is not to be asked through a proxy.
    session.trust_env = endpoint is None
    credentials: dict[str, Any] = {}
    if all(found.values()):
        credentials = dict(zip(("client_id", "client_secret", "user_agent"), found.values(), strict=True))
    try:
        # The addresses are always given, so that a planted praw.ini cannot send the credentials elsewhere.
        return praw.Reddit(
            **credentials,
            reddit_url=endpoint or REDDIT_URL,
            oauth_url=endpoint or OAUTH_URL,
            requestor_kwargs={"session": session},
            check_for_updates=False,
            check_for_async=False,
        )
    except MissingRequiredAttributeException as error:
        raise _explain_missing(list(SETTINGS)) from error
    except Exception as error:
        raise ConfigError(f"reddit: {error}", f"check {', '.join(SETTINGS)} or praw.ini") from error


def _explain_missing(missing: list[str]) -> ConfigError:
    wanted = ", ".join(missing)
    return ConfigError(
        f"reddit: the live API needs {', '.join(SETTINGS)} in the environment (or a praw.ini); not set: {wanted}",
        OFFLINE_DOORS,
    )


def _find_endpoint(environment: Mapping[str, str]) -> str | None:
    endpoint = environment.get(ENDPOINT)
    if endpoint and urlsplit(endpoint).hostname not in LOOPBACK:
        raise ConfigError(
            f"{ENDPOINT}={endpoint}: expected an address of this machine", "unset it to ask Reddit itself"
        )
    return endpoint


def _judge(error: Exception, request: Request) -> float | None:
    """Gives the seconds that Reddit asks to wait, None for as long as we like, or raises what cannot be mended."""
    from prawcore import exceptions

    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, exceptions.OAuthException) or status == 401 or _is_unmapped_401(error):
        raise ConfigError(f"reddit: the credentials are refused ({error})", f"check {', '.join(SETTINGS)}") from error
    if isinstance(error, exceptions.TooManyRequests):
        return _read_seconds(error.retry_after)
    if isinstance(error, exceptions.ServerError | exceptions.RequestException | exceptions.BadJSON):
        return None
    refusals = {
        exceptions.Forbidden: ("forbidden", "private, quarantined or banned"),
        exceptions.NotFound: ("not_found", "does not exist, or is banned"),
        exceptions.Redirect: ("not_found", "does not exist: Reddit sends us to its search"),
        exceptions.UnavailableForLegalReasons: ("withheld", "withheld for legal reasons"),
    }
    for kind, (reason, detail) in refusals.items():
        if isinstance(error, kind):
            raise RefusedError(reason, detail) from error
    if isinstance(error, exceptions.ResponseException) and status is not None and status < 500:
        raise RefusedError("refused", f"{request.path}: HTTP status {status}") from error
    if isinstance(error, exceptions.PrawcoreException | KeyError | ValueError):
        return None
    raise error


def _is_unmapped_401(error: Exception) -> bool:
    """Prawcore raises a bare KeyError for a 401 that names no cause in `www-authenticate`."""
    return isinstance(error, KeyError) and error.args == (401,)


def _read_seconds(text: str | None) -> float | None:
    try:
        return max(0.0, float(cast("str", text)))
    except (TypeError, ValueError):
        return None


def _interrupt(error: Exception, pause_s: float) -> SourceInterruptedError:
    what = f"it wants a pause of {pause_s:.0f} s" if pause_s > MAX_WAIT_S else f"{MAX_TRIES} tries in a row failed"
    return SourceInterruptedError(
        f"reddit: {what} (last: {error})", "what was fetched is kept; run the same command later to go on"
    )
