"""`curator review`: rows that wait for a person, one after the other, decided by id, or from a file."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curator.cli.state import Json, State, Wait
from schemas.errors import ConfigError

if TYPE_CHECKING:
    from curator.review import AppliedReport, Decision

app = typer.Typer(help="Go through rows that wait for a person, or decide about single rows.")

Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of examples, or their beginnings.")]
Reviewer = Annotated[str | None, typer.Option(envvar="REVIEWER", help="Who decides; the login name if absent.")]


@app.callback(invoke_without_command=True)
def review(
    context: typer.Context,
    reason: Annotated[
        list[str] | None,
        typer.Option(help="Only rows that are uncategorised, flagged, low_confidence, borderline_duplicate."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows of the queue.")] = 20,
    reviewer: Reviewer = None,
    wait: Wait = 0.0,
    as_json: Json = False,
) -> None:
    """Go through rows that wait for a person: uncategorised, flagged, barely sure, barely a duplicate."""
    if context.invoked_subcommand is not None:
        return
    from curator.cli.output import print_json
    from curator.review import read_queue

    state: State = context.obj
    project = state.open()
    with state.read(project) as snapshot:
        queue = read_queue(snapshot, project.config, limit, reasons=reason or ())
    if as_json or not sys.stdin.isatty():
        print_json(queue)
        return
    from curator.cli.review_session import Session

    session = Session(queue, project.pack.category_names, find_reviewer(reviewer))
    session.run()
    _apply(context, session.decisions, wait, as_json=False)


@app.command()
def accept(
    context: typer.Context, ids: Ids, reviewer: Reviewer = None, wait: Wait = 0.0, as_json: Json = False
) -> None:
    """Accept rows: a safety flag is lifted, a near-duplicate stays, an earlier edit or rejection is taken back."""
    _apply(context, [make_decision("accept", name, reviewer) for name in ids], wait, as_json=as_json)


@app.command()
def reject(
    context: typer.Context,
    ids: Ids,
    reason: Annotated[str, typer.Option(help="Why.")] = "rejected_by_reviewer",
    reviewer: Reviewer = None,
    wait: Wait = 0.0,
    as_json: Json = False,
) -> None:
    """Reject rows: they leave the corpus and stay out."""
    decisions = [make_decision("reject", name, reviewer, reason=reason) for name in ids]
    _apply(context, decisions, wait, as_json=as_json)


@app.command()
def relabel(
    context: typer.Context,
    ids: Ids,
    category: Annotated[str, typer.Option("--category", "-c", help="The category, or none to take it back.")],
    reviewer: Reviewer = None,
    wait: Wait = 0.0,
    as_json: Json = False,
) -> None:
    """Set the category of rows; it goes before every rule, vote and classifier."""
    wanted = None if category == "none" else category
    _apply(context, [make_decision("relabel", name, reviewer, category=wanted) for name in ids], wait, as_json=as_json)


@app.command()
def edit(
    context: typer.Context,
    example: Annotated[str, typer.Argument(metavar="ID", help="Id of an example, or its beginning.")],
    question: Annotated[str | None, typer.Option(help="The last user turn anew.")] = None,
    answer: Annotated[str | None, typer.Option(help="The last assistant turn anew; - reads it from stdin.")] = None,
    messages: Annotated[Path | None, typer.Option(help="File with the whole conversation as a JSON array.")] = None,
    reviewer: Reviewer = None,
    wait: Wait = 0.0,
    as_json: Json = False,
) -> None:
    """Write a row anew; the old one stays on record, and both stay in one unit. Without options: in $EDITOR."""
    from curator.review.editing import edit_in_editor, read_messages, read_turns_of, replace_turns

    state: State = context.obj
    if messages:
        turns = read_messages(messages)
    else:
        with state.read(state.open()) as snapshot:
            row_id, turns = read_turns_of(snapshot, example)
        example = row_id
        if question is None and answer is None:
            turns = edit_in_editor(turns)
        else:
            turns = replace_turns(turns, question, sys.stdin.read().strip() if answer == "-" else answer)
    _apply(context, [make_decision("edit", example, reviewer, messages=turns)], wait, as_json=as_json)


@app.command()
def apply(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(
            help="JSONL of decisions (schemas/json/decision.schema.json), - for stdin; the journal of `curator serve` if absent."
        ),
    ] = None,
    wait: Wait = 0.0,
    as_json: Json = False,
) -> None:
    """Apply decisions from a file or from the page; each goes through once, however often it is given."""
    from curator.review import read_decisions

    if file is None:
        from curator.review.draining import drain_journal

        _tell(drain_journal(context.obj.open(), wait), as_json=as_json)
        return
    try:
        lines = (sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()).split(b"\n")
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}", "name a JSONL file of decisions, or -") from error
    decisions, faults = read_decisions(lines, str(file))
    _apply(context, decisions, wait, as_json=as_json, faults=faults)


def make_decision(kind: str, subject: str, reviewer: str | None, **parts: Any) -> "Decision":
    """Builds a decision of this moment.

    Raises:
        ConfigError: A part of it is wrong.
    """
    from datetime import UTC, datetime

    from pydantic import ValidationError

    from curator.review import Decision

    given = {"kind": kind, "subject": subject, "reviewer": find_reviewer(reviewer), **parts}
    try:
        return Decision.model_validate({**given, "decided_at": datetime.now(UTC)})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or kind
        raise ConfigError(f"{where}: {first['msg']}", "curator review --json shows the ids that wait") from error


def find_reviewer(name: str | None) -> str:
    """Gives the name under which decisions are stored."""
    import getpass

    try:
        return name or getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _apply(
    context: typer.Context,
    decisions: "list[Decision]",
    wait: float,
    *,
    as_json: bool,
    faults: list[tuple[str, str]] | None = None,
) -> None:
    """Applies decisions and says what became of them: exit 3 where some were refused, 2 where all were."""
    from curator.review.run import apply_and_curate

    state: State = context.obj
    if not decisions and not faults:
        return
    report = apply_and_curate(state.open(), decisions, wait)
    report.refused = [*(faults or []), *report.refused]
    _tell(report, as_json=as_json)


def _tell(report: "AppliedReport", *, as_json: bool) -> None:
    from curator.cli.output import print_json

    if as_json:
        print_json(report.as_dict())
    else:
        _show(report)
    if report.refused:
        raise typer.Exit(3 if report.stored or report.known else 2)


def _show(report: "AppliedReport") -> None:
    from curator.cli.output import say

    known = f", {report.known} were stored before" if report.known else ""
    noun = "decision" if report.stored == 1 else "decisions"
    say(f"{report.stored} {noun} stored{known}; curator balance takes them into account")
    for row_id in report.edited:
        say(f"  edited: {row_id} (curator why {row_id[:12]} shows both versions)")
    for where, fault in report.refused:
        say(f"  refused {where}: {fault}")
