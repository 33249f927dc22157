"""The commands around a project: init, demo, config, doctor."""

from pathlib import Path
from typing import Annotated

import typer

from curator.cli.state import Json, State


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command("init", rich_help_panel="Start")(init)
    app.command("demo", rich_help_panel="Start")(demo)
    app.command("doctor", rich_help_panel="Start")(doctor)
    config = typer.Typer(help="Look at the settings in force.", no_args_is_help=True)
    config.command("show")(show_config)
    app.add_typer(config, name="config", rich_help_panel="Start")


def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the new project.")],
    pack: Annotated[str, typer.Option(help="fitness, golf, or the path of your own pack.")] = "fitness",
) -> None:
    """Make a project: a folder with a commented curator.toml."""
    from curator.cli.output import say, spell_command
    from curator.scaffold import make_project

    path = make_project(folder, pack)
    say(f"{path}: ready. Next: {spell_command(folder, 'run')}")


def demo(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder of the demo project.")] = Path("demo"),
    as_json: Json = False,
) -> None:
    """Run the whole job on the bundled fitness material and show what comes out."""
    from curator.cli.output import print_json, show_progress
    from curator.demo import run_demo
    from curator.report import show_demo

    state: State = context.obj
    with show_progress(quiet=state.quiet) as move:
        report = run_demo(folder, move)
    print_json(report.as_dict()) if as_json else show_demo(report)


def show_config(context: typer.Context, as_json: Json = False) -> None:
    """Show every setting with its value and where it comes from: flag, environment, file, pack or default."""
    from curator.cli.output import print_json, print_table
    from curator.settings import flatten

    state: State = context.obj
    settings = state.open().settings
    values = flatten(settings.config.model_dump(mode="json"))
    if as_json:
        print_json({key: {"value": value, "origin": settings.origins[key]} for key, value in values.items()})
        return
    print_table("", ["setting", "value", "from"], [[k, str(v), settings.origins[k]] for k, v in values.items()])


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Check the pack, the settings, the database and the machine; say what to mend."""
    from curator.cli.output import print_json
    from curator.doctor import examine
    from curator.report import show_findings

    state: State = context.obj
    findings = examine(state.folder)
    print_json([vars(finding) for finding in findings]) if as_json else show_findings(findings)
    if any(finding.is_problem for finding in findings):
        raise typer.Exit(1)
