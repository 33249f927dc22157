"""`curator prompt`: see exactly what a model is sent."""

from pathlib import Path
from typing import Annotated

import typer

from curator.cli.state import Json, State

app = typer.Typer(help="See what is sent to a model.", no_args_is_help=True)


@app.callback()
def _explain() -> None:
    """See what is sent to a model."""


@app.command("show")
def show_prompt(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="What the user asks; - reads it from stdin.")],
    role: Annotated[str, typer.Option(help="insight, planner or coach.")] = "coach",
    profile: Annotated[Path | None, typer.Option(help="JSON file of who asks.")] = None,
    arm: Annotated[str | None, typer.Option(help="As users in this arm of the experiment get it.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Budget of the whole prompt.")] = None,
    as_json: Json = False,
) -> None:
    """Print the prompt of a question: system prompt, profile, rules, references, examples and their sizes."""
    import contextlib
    import sys

    from curator.cli.output import print_json
    from curator.experiments.assignment import find_arm
    from curator.prompt.kit import open_kit
    from curator.prompt.report import read_profile, show_parts, show_turns

    state: State = context.obj
    project = state.open({"prompt": {"max_tokens": max_tokens}})
    text = sys.stdin.read() if question == "-" else question
    # A project without data has no examples to show, and everything else.
    with state.read(project) if project.database.exists() else contextlib.nullcontext() as snapshot:
        chosen = find_arm(arm, project.config.experiment.arms) if arm else None
        prompt = open_kit(project).build(
            text,
            role=role,
            profile=read_profile(profile),
            snapshot=snapshot,
            system=chosen.system_prompt if chosen else None,
            style=chosen.style if chosen else None,
        )
    if as_json:
        print_json(prompt.as_dict())
        return
    show_turns(prompt)
    if not state.quiet:
        show_parts(prompt)
