"""`curator train`: from the latest release to an adapter or a model."""

from pathlib import Path
from typing import Annotated

import typer

from curator.cli.state import DryRun, Json, State, Wait

FORMATS = "messages, sharegpt, alpaca or instruction; the recipe's if absent"


def train(
    context: typer.Context,
    recipe: Annotated[
        str | None, typer.Option(help="A bundled recipe or the path of a .toml; without one the list is shown.")
    ] = None,
    release: Annotated[str | None, typer.Option(help="Id of a release or its beginning; the latest if absent.")] = None,
    base: Annotated[
        str | None, typer.Option(metavar="PATH_OR_ID", help="A folder, owner/name on the hub, or tiny: random weights.")
    ] = None,
    role: Annotated[str | None, typer.Option(help="Only rows of this coach role: insight, planner, coach.")] = None,
    file_format: Annotated[str | None, typer.Option("--format", "-f", help=FORMATS)] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting, as train.lr=1e-4 (repeatable).")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Prove the loss mask of every row and stop there.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the newest checkpoint.")] = False,
    backend: Annotated[str, typer.Option(help="trl, or unsloth where it is installed.")] = "trl",
    no_mixed_precision: Annotated[
        bool, typer.Option("--no-mixed-precision", help="Compute in 32 bits throughout.")
    ] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder; models/RELEASE-RECIPE.")] = None,
    wait: Wait = 0.0,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Train a model on a release: check the contract, estimate, fine-tune, write adapter, card and loss curve."""
    from curator import model_training
    from curator.cli.output import print_json, print_table, say, show_progress
    from curator.tiny_base import NOTE, is_tiny
    from curator.train_report import describe_plan, show_contract, show_plan, show_training
    from train import list_recipes

    state: State = context.obj
    if recipe is None:
        recipes = list_recipes()
        print_json(recipes) if as_json else print_table("", ["recipe", "what"], [list(row) for row in recipes.items()])
        return
    project = state.open()
    if is_tiny(base) and not state.quiet:
        say(NOTE)
    chosen = [*(settings or []), *(["train.precision=fp32"] if no_mixed_precision else [])]
    folder = output.absolute() if output else None
    options = model_training.TrainOptions(recipe, release, base, role, file_format, chosen, backend, folder)
    if check:
        contract = model_training.check(project, options, wait)
        found = contract.model_dump(mode="json") | {"is_kept": contract.is_kept}
        print_json(found) if as_json else show_contract(contract)
        raise typer.Exit(0 if contract.is_kept else 1)
    if dry_run or not (as_json or state.quiet):
        resolved, estimate = model_training.plan(project, options, wait)
        print_json(describe_plan(resolved, estimate)) if as_json else show_plan(resolved, estimate)
    if dry_run:
        return
    with show_progress(quiet=state.quiet) as move:
        report = model_training.train(project, options, move, wait, resume=resume)
    if as_json:
        print_json(report.model_dump(mode="json"))
    elif not state.quiet:
        show_training(report)
