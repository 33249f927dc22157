"""Review: one row at a time, claimed for this reviewer; accept, reject, edit, relabel, skip, undo.

The rows, the claims and the decisions are those of `curator.review` and the desk; nothing is decided here.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from curator.review import REASONS, read_queue
from curator.service.access import Reviewer, ServiceOf
from curator.service.api.review import Verdict, build_decision
from curator.service.context import Service
from curator.service.errors import ServiceError
from curator.service.pages.forms import Form
from curator.service.pages.render import render_page
from curator.service.pages.route import PageRoute
from curator.service.pages.word_diff import diff_words
from curator.text import join_turn
from schemas.errors import CuratorError
from schemas.example import Message

router = APIRouter(route_class=PageRoute)

REJECTIONS = (
    ("wrong", "wrong or unsafe advice"),
    ("off_topic", "off topic"),
    ("unclear", "question or answer unclear"),
    ("low_effort", "says nothing useful"),
    ("private", "private or personal"),
    ("duplicate", "says what another row says"),
)
MAX_QUEUE = 5_000
MAX_SKIPPED = 50


@router.get("/review")
def show_review(request: Request, service: ServiceOf, client: Reviewer, reason: str = "", row: str = "") -> Response:
    """Gives the next row of the queue, or the one that is asked for, claimed for the reviewer."""
    if not service.reader.version:
        return render_page(request, "nothing.html", page="review", title="Review")
    return _show(request, service, client.name, reason if reason in REASONS else "", wanted=row)


@router.post("/review/decide")
def decide(request: Request, service: ServiceOf, client: Reviewer, form: Form) -> Response:
    """Stores the decision and gives the next row; what is wrong with it is said beside the same row."""
    reason = form.get("queue", "") if form.get("queue", "") in REASONS else ""
    skipped = _read_skipped(form)
    subject = form.get("subject", "")
    if form.get("action") == "skip":
        service.desk.release(client.name, [subject])
        return _show(request, service, client.name, reason, skipped=[*skipped, subject][-MAX_SKIPPED:])
    try:
        stored = service.desk.decide(build_decision(service, _read_verdict(service, form), client.name))
    except (CuratorError, ValueError) as error:
        message = error.message if isinstance(error, CuratorError) else "the decision is not complete"
        return _show(request, service, client.name, reason, skipped=skipped, wanted=subject, fault=message)
    return _show(request, service, client.name, reason, skipped=skipped, done=stored.decision.kind)


@router.post("/review/undo")
def undo(request: Request, service: ServiceOf, client: Reviewer, form: Form) -> Response:
    """Takes the reviewer's last decision back and shows its row again."""
    reason = form.get("queue", "") if form.get("queue", "") in REASONS else ""
    try:
        stored = service.desk.undo(client.name)
    except ServiceError as error:
        return _show(request, service, client.name, reason, fault=error.message)
    return _show(request, service, client.name, reason, wanted=stored.decision.subject, done="undo")


def _show(
    request: Request,
    service: Service,
    reviewer: str,
    reason: str,
    *,
    skipped: list[str] | None = None,
    wanted: str = "",
    fault: str = "",
    done: str = "",
) -> Response:
    queue = _read_queue(service, reason)
    decided = service.desk.list_decided()
    left = {row["id"]: row for row in queue if row["id"] not in decided}
    row = _claim(service, reviewer, left, wanted, set(skipped or ()))
    if wanted and row is None and not fault:
        fault = "Another reviewer has this row, or it is not in the newest snapshot."
    progress = service.desk.count()
    return render_page(
        request,
        "review.html",
        page="review",
        reason=reason,
        reasons=REASONS,
        rejections=REJECTIONS,
        categories=[(category.name, category.title) for category in service.pack.categories],
        row=None if row is None else _describe(row),
        skipped=",".join(skipped or ()),
        fault=fault,
        done=done,
        mine=service.desk.list_decisions(reviewer, 8),
        progress={
            **progress,
            "left": len(left),
            "is_capped": len(queue) >= MAX_QUEUE,
            "decided": sum(progress["by_kind"].values()),
        },
    )


def _claim(
    service: Service, reviewer: str, left: dict[str, dict[str, Any]], wanted: str, skipped: set[str]
) -> dict[str, Any] | None:
    """Gives a row that is now this reviewer's alone: the wanted one, else the next of the queue."""
    if wanted:
        row = left.get(wanted) or _find_row(service, wanted)
        claimed = service.desk.claim(reviewer, [row["id"]], 1) if row else []
        return row if claimed else None
    candidates = [subject for subject in left if subject not in skipped] or list(left)
    claimed = service.desk.claim(reviewer, candidates, 1)
    return left[claimed[0]] if claimed else None


def _find_row(service: Service, subject: str) -> dict[str, Any] | None:
    """Gives a row that does not wait, in the shape of the queue."""
    import orjson

    found = service.reader.read("find_examples", prefix=subject).to_dicts()
    if len(found) != 1:
        return None
    row = found[0]
    return {**row, "messages": orjson.loads(row["messages"]), "reasons": [], "flags": [], "partner": None,
            "similarity": None, "partner_messages": None}  # fmt: skip


def _read_queue(service: Service, reason: str) -> list[dict[str, Any]]:
    reasons = (reason,) if reason else ()
    found: list[dict[str, Any]] = service.reader.remember(
        ("page-queue", reason),
        lambda snapshot: read_queue(snapshot, service.project.config, MAX_QUEUE, 0, reasons),
    )
    return found


def _describe(row: dict[str, Any]) -> dict[str, Any]:
    parts = None
    if row["partner_messages"]:
        parts = diff_words(_join(row["partner_messages"]), _join(row["messages"]))
    return {**row, "diff": parts}


def _join(messages: list[dict[str, Any]]) -> str:
    return "\n\n".join(join_turn(turn) for turn in messages if turn["role"] != "system")


def _read_skipped(form: dict[str, str]) -> list[str]:
    return [subject for subject in form.get("skipped", "").split(",") if subject]


def _read_verdict(service: Service, form: dict[str, str]) -> Verdict:
    """Gives the decision that a form states.

    Raises:
        ServiceError: The row is gone, or nothing was changed (422).
        ValueError: A part is missing or too long.
    """
    kind, subject = form.get("action", ""), form.get("subject", "")
    if kind.startswith("category:"):
        return Verdict(kind="relabel", subject=subject, category=kind.removeprefix("category:"))
    if kind == "reject":
        return Verdict(kind="reject", subject=subject, reason=form.get("why") or None)
    if kind == "edit":
        return Verdict(kind="edit", subject=subject, messages=_read_turns(service, subject, form))
    return Verdict.model_validate({"kind": kind, "subject": subject})


def _read_turns(service: Service, subject: str, form: dict[str, str]) -> list[Message]:
    row = _find_row(service, subject)
    if row is None:
        raise ServiceError(422, "the row is not in the newest snapshot", "reload the page")
    # Browsers send line ends as CRLF.
    turns = [
        {**turn, "content": form.get(f"turn-{place}", turn["content"]).replace("\r\n", "\n")}
        for place, turn in enumerate(row["messages"])
    ]
    if turns == row["messages"]:
        raise ServiceError(422, "nothing was changed")
    return [Message.model_validate(turn) for turn in turns]
