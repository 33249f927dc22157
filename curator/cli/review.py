"""`curator review`: rows that wait for a person, one after the other or decided by id."""

import sys
from typing import Annotated, Any

import typer

from curator.cli.state import Json, State, Wait

KEYS = "[a]ccept  [r]eject  [s]kip  [q]uit"


def review(
    context: typer.Context,
    accept: Annotated[list[str] | None, typer.Option(metavar="ID", help="Accept a row (repeatable).")] = None,
    reject: Annotated[list[str] | None, typer.Option(metavar="ID", help="Reject a row (repeatable).")] = None,
    reason: Annotated[str, typer.Option(help="Why it is rejected.")] = "rejected_by_reviewer",
    limit: Annotated[int, typer.Option(min=1, help="Rows of the queue.")] = 20,
    wait: Wait = 0.0,
    as_json: Json = False,
) -> None:
    """Go through rows that wait for a person: safety flags first, then uncategorised ones."""
    from curator.cli.output import print_json, say
    from curator.project import change_project
    from curator.review import Decision, read_queue, store_decisions

    state: State = context.obj
    project = state.open()
    decisions = [Decision(name, is_kept=True, reason="accepted") for name in accept or []]
    decisions += [Decision(name, is_kept=False, reason=reason) for name in reject or []]
    if not decisions:
        with state.read(project) as snapshot:
            queue = read_queue(snapshot, limit)
        if as_json or not sys.stdin.isatty():
            print_json(queue)
            return
        decisions = _ask(queue, reason)
    if decisions:
        with change_project(project, "review", wait) as (warehouse, summary):
            summary["decided"] = store_decisions(warehouse, decisions)
    say(f"{len(decisions)} decisions stored; curator balance takes them into account")


def _ask(queue: list[dict[str, Any]], reason: str) -> list[Any]:
    from curator.cli.output import say
    from curator.review import Decision
    from curator.why import describe_place

    decisions = []
    for number, row in enumerate(queue, 1):
        say(f"\n{number}/{len(queue)} {row['id'][:12]} {row['reason'] or 'uncategorised'}")
        say(f"{row['source']} {describe_place(row['natural_key'], row['span'])}")
        for turn in row["messages"]:
            say(f"[{turn['role']}] {turn['content']}")
        key = typer.prompt(KEYS, default="s", err=True).strip().lower()[:1]
        if key == "q":
            break
        if key == "a":
            decisions.append(Decision(row["id"], is_kept=True, reason="accepted"))
        elif key == "r":
            why = typer.prompt("why", default=reason, err=True).strip().replace(" ", "_")
            decisions.append(Decision(row["id"], is_kept=False, reason=why))
    return decisions
