"""The recheck: which of the stored posts and comments have been deleted or removed since?"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors import SourceInterruptedError
from schemas.frames import document_frame
from sources.protocol import Batch, Rejection, SourceContext
from sources.reddit.authors import GONE
from sources.reddit.client import RedditClient, RefusedError, Request
from sources.reddit.things import find_things

KEYS_A_REQUEST = 100


class RecheckCursor(BaseModel):
    """The last key that was asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    door: str = "recheck"
    key: str


def read_recheck(context: SourceContext, request_budget: int, after: str | None) -> Iterator[Batch]:
    """Yields a batch for every 100 stored keys, with a rejection for each that is gone.

    A rejection has reason `deleted_at_source`, is no fault, and its `where` is the natural key alone: the shell
    makes a tombstone of it. Nothing is fetched anew. A deleted account whose text still stands is not gone.

    Raises:
        ConfigError: No credentials.
        SourceInterruptedError: Reddit stopped answering.
    """
    last = _read_cursor(after)
    keys = sorted(key for key in context.stored_keys() if key.startswith(("t1_", "t3_")) and key > last)
    return _run(keys, RedditClient(context.environment), request_budget)


def _run(keys: list[str], client: RedditClient, request_budget: int) -> Iterator[Batch]:
    num_gone = 0
    for start in range(0, len(keys), KEYS_A_REQUEST):
        asked = keys[start : start + KEYS_A_REQUEST]
        gone = _find_gone(asked, client)
        num_gone += len(gone)
        num_done = start + len(asked)
        cursor = None if num_done == len(keys) else RecheckCursor(key=asked[-1]).model_dump_json()
        is_spent = client.num_requests >= request_budget
        notes = (f"{num_done:,} of {len(keys):,} stored items asked for, {num_gone:,} gone",)
        yield Batch(document_frame([]), gone, cursor, notes if cursor is None or is_spent else ())
        if is_spent:
            return
    if not keys:
        yield Batch(document_frame([]), (), None, ("nothing stored to ask for",))


def _find_gone(asked: list[str], client: RedditClient) -> tuple[Rejection, ...]:
    records = find_things(_ask(asked, client)).records
    states = {_name_of(record): _explain_gone(record) for record in records}
    found = ((key, states.get(key, "Reddit does not know it any more")) for key in asked)
    return tuple(Rejection(key, "deleted_at_source", why, is_fault=False) for key, why in found if why)


def _ask(asked: list[str], client: RedditClient) -> Any:
    try:
        answer = client.ask(Request("api/info", {"id": ",".join(asked)}))
    except RefusedError as error:
        raise SourceInterruptedError(f"reddit: api/info: {error.detail}", "run the same command again later") from error
    # Nothing may be taken for deleted because of an answer of another kind.
    if not isinstance(answer, dict) or answer.get("kind") != "Listing":
        raise SourceInterruptedError("reddit: api/info gave no listing", "run the same command again later")
    return answer


def _name_of(record: Mapping[str, Any]) -> str:
    prefix = "t3_" if "title" in record else "t1_"
    return str(record.get("name") or f"{prefix}{record.get('id')}")


def _explain_gone(record: Mapping[str, Any]) -> str:
    """Says why a thing is gone, or nothing where its text still stands."""
    if record.get("removed_by_category"):
        return f"removed by {record['removed_by_category']}"
    text = record.get("selftext") if "title" in record else record.get("body")
    return f"its text is {text}" if text in GONE else ""


def _read_cursor(after: str | None) -> str:
    try:
        return RecheckCursor.model_validate_json(after).key if after else ""
    except ValidationError:
        return ""
