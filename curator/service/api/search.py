"""Search and the life of a row."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, ConfigDict, Field

from curator.service.access import Reader, ServiceOf
from curator.service.errors import ServiceError
from curator.service.search import Filters, search_nearest, search_words
from curator.why import find_nearest_rejected, read_life
from schemas.errors import ConfigError

router = APIRouter(tags=["search"])
Name = Annotated[str | None, Query(max_length=200)]


class Nearest(BaseModel):
    """A text to look up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(min_length=1, max_length=20_000, examples=["How deep should I squat with stiff ankles?"])
    limit: int = Field(10, ge=1, le=50)
    is_rejected: bool = Field(False, description="Look among the rejected rows only and say why they are.")


@router.get("/search")
def search(
    service: ServiceOf,
    client: Reader,  # noqa: ARG001 - the scope is checked
    q: Annotated[str, Query(max_length=500, description="Words that a row must all have; quoted ones together.")] = "",
    source: Name = None,
    category: Name = None,
    split: Name = None,
    licence: Name = None,
    language: Name = None,
    role: Name = None,
    verdict: Annotated[str | None, Query(max_length=200, description="kept, rejected, or a reason.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> dict[str, Any]:
    """Gives rows by words and filters, in the order of their ids."""
    filters = Filters(source, category, split, licence, language, role, verdict)
    rows, has_more = search_words(service.reader, q, filters, limit, offset)
    return {"rows": rows, "has_more": has_more, "offset": offset}


@router.post("/search/nearest")
def nearest(wanted: Annotated[Nearest, Body()], service: ServiceOf, client: Reader) -> dict[str, Any]:  # noqa: ARG001
    """Gives the rows whose text is nearest to a text."""
    if not wanted.is_rejected:
        return {"rows": search_nearest(service.reader, wanted.text, wanted.limit)}
    with service.reader.open() as snapshot:
        try:
            return {"rows": find_nearest_rejected(snapshot, wanted.text, wanted.limit)}
        except ConfigError:
            return {"rows": []}


@router.get("/why/{subject:path}", responses={404: {"description": "no row has this id, key or address"}})
def why(subject: str, service: ServiceOf, client: Reader) -> dict[str, Any]:  # noqa: ARG001
    """Gives the life of an example or document: where from, each decision with its score, splits, releases.

    `subject` is an id or its beginning, a natural key or an address of a document.
    """
    if len(subject) > 2_000 or "\x00" in subject:
        raise ServiceError(404, "no row has such a name")
    with service.reader.open() as snapshot:
        try:
            return read_life(snapshot, subject)
        except ConfigError as error:
            raise ServiceError(404, error.message, error.hint) from error
