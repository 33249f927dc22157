"""`curator cycle`: from feedback to a better model, or to the reason why the old one stays."""

from typing import Annotated, Literal

import typer

from curator.cli.state import DryRun, Json, State, Wait

app = typer.Typer(help="Learn from feedback; deploy only what is better.", invoke_without_command=True)


@app.callback()
def cycle(
    context: typer.Context,
    role: Annotated[
        Literal["insight", "planner", "coach"] | None,
        typer.Option(help="Train on the rows of this role, and deploy for it alone; cycle.role."),
    ] = None,
    wait: Wait = 0.0,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Drain feedback, curate, release, train, evaluate; deploy only what is better, and keep the reason."""
    if context.invoked_subcommand is not None:
        return
    from curator.cli.output import print_json, say, show_progress
    from curator.cycle import plan_cycle, run_cycle
    from curator.cycle.report import show_cycle, show_plan

    state: State = context.obj
    project = state.open()
    if dry_run:
        plan = plan_cycle(project, role)
        print_json(plan) if as_json else show_plan(plan)
        return
    with show_progress(quiet=state.quiet or as_json) as move:
        record = run_cycle(project, (lambda _: None) if state.quiet or as_json else say, move, wait, role)
    print_json(record.as_dict()) if as_json else show_cycle(record)


@app.command("log")
def show_log(context: typer.Context, as_json: Json = False) -> None:
    """Show every cycle: what came in, what was trained, how it compared, what was deployed and why."""
    from curator.cli.output import print_json
    from curator.cycle import list_cycles
    from curator.cycle.report import show_history

    state: State = context.obj
    records = list_cycles(state.open())
    print_json([record.as_dict() for record in records]) if as_json else show_history(records)


@app.command("rollback")
def roll_back_cycle(
    context: typer.Context,
    deployment: Annotated[str | None, typer.Argument(help="Id of any earlier deployment; the one before.")] = None,
    role: Annotated[str | None, typer.Option(help="Only for this coach role.")] = None,
) -> None:
    """Make an earlier deployment current again; the next cycle is compared with it."""
    from curator.cli.output import say
    from curator.cycle.rollback import roll_back_to

    state: State = context.obj
    say(f"current: {roll_back_to(state.open(), deployment, role)}")
