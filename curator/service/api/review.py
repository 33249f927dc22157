"""Review over HTTP: claim rows, decide about them, undo."""

from dataclasses import asdict
from datetime import UTC, datetime
from itertools import count, islice, takewhile
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from curator.review import REASONS, read_queue
from curator.service.access import Reader, Reviewer, ServiceOf
from curator.service.api.examples import DECISION_EXAMPLES
from curator.service.context import Service
from curator.service.errors import ServiceError
from curator.service.reviewing import StoredDecision
from curator.text import check_structure
from schemas.decision import Decision, DecisionKind
from schemas.errors import ConfigError
from schemas.example import Message

router = APIRouter(prefix="/review", tags=["review"])
PAGE_ROWS = 500
Reasons = Annotated[list[str], Field(max_length=len(REASONS))]


class Claim(BaseModel):
    """What a reviewer wants to look at next."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(1, ge=1, le=50, description="Rows wanted; those already claimed count.")
    reasons: Reasons = Field(default=[], description=f"Only rows that wait for one of: {', '.join(REASONS)}.")


class Verdict(BaseModel):
    """A reviewer's word about a row; who and when is known from the request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: DecisionKind
    subject: str = Field(pattern=r"^[0-9a-f]{32}$", description="Id of the example.")
    reason: str | None = Field(None, min_length=1, max_length=200, description="Why a row is rejected.")
    category: str | None = Field(None, max_length=100, description="relabel: the category; null takes one back.")
    messages: list[Message] | None = Field(None, max_length=200, description="edit: the whole conversation.")
    rejected: list[Message] | None = Field(None, max_length=1, description="edit of a preference: the losing answer.")


class Undo(BaseModel):
    """Which decision is taken back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sequence: int | None = Field(None, ge=1, le=2**62, description="The reviewer's last one if absent.")


class Released(BaseModel):
    """Rows that a reviewer gives back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subjects: list[Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]] = Field(max_length=50)


@router.get("/queue")
def show_queue(
    service: ServiceOf,
    client: Reader,  # noqa: ARG001 - the scope is checked
    reason: Annotated[list[str] | None, Query(max_length=4)] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_ROWS)] = 20,
) -> list[dict[str, Any]]:
    """Gives the rows that wait, whoever may be looking at them."""
    decided = service.desk.list_decided()
    pages = (_read_page(service, tuple(reason or ()), page) for page in count())
    rows = (row for page in takewhile(bool, pages) for row in page if row["id"] not in decided)
    return list(islice(rows, limit))


@router.post("/claim")
def claim(wanted: Annotated[Claim, Body()], service: ServiceOf, client: Reviewer) -> dict[str, Any]:
    """Gives the next rows of the queue to this reviewer alone, until they decide, give back, or the lease ends."""
    rows = claim_rows(service, client.name, wanted.count, tuple(wanted.reasons))
    return {"rows": rows, "lease_s": service.project.config.serve.lease_s}


@router.post("/release")
def release(given: Annotated[Released, Body()], service: ServiceOf, client: Reviewer) -> dict[str, int]:
    """Gives claimed rows back to the queue."""
    return {"released": service.desk.release(client.name, given.subjects)}


@router.post(
    "/decisions",
    status_code=201,
    responses={404: {"description": "no such row"}, 409: {"description": "another reviewer has the row"}},
)
def decide(
    verdict: Annotated[Verdict, Body(openapi_examples=DECISION_EXAMPLES)], service: ServiceOf, client: Reviewer
) -> dict[str, Any]:
    """Stores a decision in the journal; `curator review apply` brings it into force."""
    return _describe(service.desk.decide(build_decision(service, verdict, client.name)))


@router.post(
    "/undo", responses={404: {"description": "nothing to undo"}, 409: {"description": "it is applied already"}}
)
def undo(wanted: Annotated[Undo, Body()], service: ServiceOf, client: Reviewer) -> dict[str, Any]:
    """Takes a decision of this reviewer back and gives them its row again."""
    return _describe(service.desk.undo(client.name, wanted.sequence))


@router.get("/decisions")
def list_decisions(
    service: ServiceOf,
    client: Reader,
    is_mine: bool = True,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[dict[str, Any]]:
    """Gives standing decisions, the newest first."""
    return [_describe(found) for found in service.desk.list_decisions(client.name if is_mine else None, limit)]


@router.get("/progress")
def show_progress(service: ServiceOf, client: Reader) -> dict[str, Any]:  # noqa: ARG001
    """Gives what was decided, by kind and reviewer, what is being looked at, and what waits to be applied."""
    return service.desk.count()


def claim_rows(service: Service, reviewer: str, wanted: int, reasons: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Gives rows of the queue, with everything a reviewer must see, to one reviewer.

    Raises:
        ConfigError: A reason is unknown.
    """
    decided = service.desk.list_decided()
    pages = (_read_page(service, reasons, page) for page in count())
    for page in takewhile(bool, pages):
        rows = {row["id"]: row for row in page if row["id"] not in decided}
        claimed = service.desk.claim(reviewer, list(rows), wanted)
        if claimed:
            return [rows[subject] for subject in claimed]
    return []


def build_decision(service: Service, verdict: Verdict, reviewer: str) -> Decision:
    """Gives the decision of a reviewer, checked against the newest snapshot and the pack.

    Raises:
        ServiceError: No row has the id (404), or a part is missing or wrong (422).
    """
    found = service.reader.read("find_examples", prefix=verdict.subject)
    if not found.height:
        raise ServiceError(404, f"row {verdict.subject}: there is none in the newest snapshot")
    if verdict.category is not None and verdict.category not in service.pack.category_names:
        known = ", ".join(service.pack.category_names)
        raise ServiceError(422, f"category {verdict.category[:60]!r}: unknown", f"expected one of {known}")
    if verdict.messages:
        turns = [turn.model_dump(exclude_none=True) for turn in verdict.messages]
        fault = check_structure(turns)
        if fault:
            raise ServiceError(422, f"messages: {fault}", "a conversation ends with an answer")
    try:
        return Decision.model_validate(
            {**verdict.model_dump(exclude_none=True), "reviewer": reviewer, "decided_at": datetime.now(UTC)}
        )
    except ValidationError as error:
        raise ServiceError(422, str(error.errors()[0]["msg"])) from error


def _read_page(service: Service, reasons: tuple[str, ...], page: int) -> list[dict[str, Any]]:
    unknown = sorted(set(reasons) - set(REASONS))
    if unknown:
        raise ConfigError(f"reason {unknown[0][:60]!r}: unknown", f"expected one of {', '.join(REASONS)}")
    found: list[dict[str, Any]] = service.reader.remember(
        ("queue", reasons, page),
        lambda snapshot: read_queue(snapshot, service.project.config, PAGE_ROWS, page * PAGE_ROWS, reasons),
    )
    return found


def _describe(found: StoredDecision) -> dict[str, Any]:
    return {**asdict(found), "decision": found.decision.model_dump(mode="json", exclude_none=True)}
