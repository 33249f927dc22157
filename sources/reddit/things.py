"""Finds posts and comments in whatever Reddit's API answered, however it was saved."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

POST, COMMENT, MORE = "t3", "t1", "more"
MAX_DEPTH = 10_000


@dataclass
class Things:
    """What an answer holds.

    Attributes:
        records: Posts and comments, in the order of the page.
        hidden: The `more` nodes: what the page left out.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    hidden: list[dict[str, Any]] = field(default_factory=list)

    @property
    def num_hidden(self) -> int:
        """Comments that the page counts but does not show."""
        return sum(int(node.get("count") or 0) for node in self.hidden)


def find_things(answer: Any) -> Things:
    """Gives the posts and comments of an answer: a listing, a comments page, `morechildren`, or a recorded session."""
    found = Things()
    stack = [answer]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack.extend(reversed(value))
        elif isinstance(value, dict):
            stack.extend(reversed(list(_open_object(value, found))))
    return found


def _open_object(value: dict[str, Any], found: Things) -> Iterator[Any]:
    """Keeps a thing, and yields what may hold further ones."""
    kind, data = value.get("kind"), value.get("data")
    if kind in (POST, COMMENT) and isinstance(data, dict):
        found.records.append(data)
        yield data.get("replies")
    elif kind == MORE and isinstance(data, dict):
        found.hidden.append(data)
    elif kind == "Listing" and isinstance(data, dict):
        yield data.get("children")
    elif "interactions" in value or "http_interactions" in value:
        yield from _open_session(value.get("interactions") or value.get("http_interactions"))
    else:
        # `morechildren` nests its things below json.data; a crawler may wrap pages in objects of its own.
        yield from (inner for inner in value.values() if isinstance(inner, dict | list))


def _open_session(interactions: Any) -> Iterator[Any]:
    """Yields the parsed bodies of a recorded session (VCR and Betamax kinds)."""
    import orjson

    for interaction in interactions if isinstance(interactions, list) else []:
        response = interaction.get("response") if isinstance(interaction, dict) else None
        body = (response if isinstance(response, dict) else interaction or {}).get("body")
        if isinstance(body, dict) and isinstance(body.get("string"), str):
            body = body["string"]
        if isinstance(body, str):
            try:
                yield orjson.loads(body)
            except orjson.JSONDecodeError:
                continue
        else:
            yield body
