"""Shows a cycle, its plan and the history of cycles."""

from collections.abc import Mapping, Sequence
from typing import Any

from curator.cli.output import print_table, say
from curator.cycle.record import CycleRecord


def show_plan(plan: Mapping[str, Any]) -> None:
    """Prints what a cycle would do."""
    rows = [[key, _spell(value)] for key, value in plan["settings"].items() if value not in (None, [])]
    rows += [
        ["steps", ", ".join(plan["steps"])],
        ["compared with", plan["current_deployment"] or "nothing deployed yet"],
    ]
    if plan["resumes"]:
        rows.append(["goes on with", f"cycle {plan['resumes']}"])
    print_table("cycle (dry run)", ["", ""], rows)


def show_cycle(record: CycleRecord) -> None:
    """Prints how a cycle ended."""
    evaluated = record.steps.get("evaluate")
    if evaluated and evaluated["current"]:
        rows = [[key, evaluated["current"][key], evaluated["candidate"][key]] for key in evaluated["candidate"]]
        print_table("", ["", "current", "candidate"], rows)
    say(f"cycle {record.number}: {_spell(record.outcome)}; {'; '.join(record.reasons)}")


def show_history(records: Sequence[CycleRecord]) -> None:
    """Prints all cycles, the newest last."""
    if not records:
        say("no cycle yet: curator cycle")
        return
    rows = [
        [
            record.number,
            record.started_at.replace("T", " ").removesuffix("+00:00"),
            record.steps.get("release", {}).get("release", ""),
            _spell(record.outcome) if record.outcome else f"interrupted before {_next_step(record)}",
            "; ".join(record.reasons),
        ]
        for record in records
    ]
    print_table("", ["cycle", "started (UTC)", "release", "outcome", "why"], rows)


def _next_step(record: CycleRecord) -> str:
    from curator.cycle.record import STEPS

    return next((step for step in STEPS if step not in record.steps), "the end")


def _spell(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value).replace("_", " ")
