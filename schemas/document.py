"""The document: a raw thing as fetched, before anything is decided about it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.identity import make_id

DocumentKind = Literal["post", "comment", "transcript", "page", "record", "conversation", "event"]
Permission = Literal["granted", "own", "unknown"]

DOCUMENT_COLUMNS: dict[str, str] = {
    "id": "text",
    "source": "text",
    "kind": "text",
    "natural_key": "text",
    "title": "text?",
    "content": "text",
    "metadata": "text",
    "url": "text?",
    "author_hash": "text?",
    "created_at": "timestamp?",
    "fetched_at": "timestamp",
    "licence": "text",
    "basis": "text",
    "permission": "text",
    "attribution": "text?",
}
"""Columns of a document frame in order; `?` marks those that may be null.

`timestamp` is microseconds in UTC. `metadata` is a JSON object: what the extractor of that kind needs.
"""


class Document(BaseModel):
    """One raw thing as fetched.

    The id is a hash of source, natural key and content; author names and volatile figures (scores, counts)
    are no part of it. A newer document with the same source and natural key supersedes the older one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    source: str = Field(description="Name of the connector, such as `reddit` or `markdown`.")
    kind: DocumentKind
    natural_key: str = Field(description="What the source calls it: `t3_abc`, `notes/squat.md`, a video id.")
    title: str | None = None
    content: str
    metadata: str = Field(default="{}", description="A JSON object with what the extractor needs.")
    url: str | None = None
    author_hash: str | None = Field(default=None, description="Salted hash, never the name.")
    created_at: datetime | None = None
    fetched_at: datetime
    licence: str = Field(default="unknown", description="SPDX id where one exists, else `unknown` or a name.")
    basis: str = Field(default="unknown", description="Why we may hold it, in words.")
    permission: Permission = "unknown"
    attribution: str | None = None


def document_id(source: str, natural_key: str, content: str) -> str:
    """Gives the id of a document (32 hex characters)."""
    return make_id("document", source, natural_key, content)
