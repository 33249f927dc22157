"""The command `curator`: all commands, global options, and the one place where errors become exit codes."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from curator.cli import chat, corpus, cycle, deploy, evaluate, explore, ingest, project, prompt, review, serve, train
from curator.cli.output import show_error
from curator.cli.state import State
from schemas.errors import CuratorError, advise_on_disk

UsageError: Any = typer.BadParameter.__base__
"""Typer carries its own copy of click and exports only the leaves of click's exceptions."""
OK, FAILED, USAGE, PARTIAL, INTERRUPTED = 0, 1, 2, 3, 130
EXTRA_OF = {
    **dict.fromkeys(
        ("accelerate", "bitsandbytes", "datasets", "peft", "safetensors", "torch", "transformers", "trl"), "train"
    ),
    **dict.fromkeys(("gguf", "xllamacpp"), "gguf"),
}
"""The extra that brings a library; the other extras are asked for where they are imported."""

app = typer.Typer(
    name="curator",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Turns what a community knows into a corpus that a coaching model can be trained on: collect, screen, "
        "categorise, deduplicate, balance, split without leakage, export."
    ),
    epilog="Exit codes: 0 ok, 1 failed, 2 usage or config, 3 partly done, 4 locked, 130 interrupted.",
)
project.register(app)
app.add_typer(ingest.app, name="ingest", rich_help_panel="Build")
corpus.register(app)
app.add_typer(evaluate.app, name="evaluate", rich_help_panel="Explore")
app.add_typer(cycle.app, name="cycle", rich_help_panel="Serve")
app.add_typer(prompt.app, name="prompt", rich_help_panel="Serve")
explore.register(app)
app.command("train", rich_help_panel="Train")(train.train)
app.command("deploy", rich_help_panel="Train")(deploy.deploy)
app.command("chat", rich_help_panel="Serve")(chat.chat)
app.add_typer(serve.app, name="serve", rich_help_panel="Serve")
app.add_typer(review.app, name="review", rich_help_panel="Explore")


def show_version(wanted: bool) -> None:
    """Says the version and stops; eager, so that no command need follow."""
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"curator {version('corpus-curator')}\n")
        raise typer.Exit


@app.callback()
def set_globals(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Option("--project", "-C", help="The project folder.", show_default="working folder")
    ] = Path(),
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback when something fails.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress and no talk, only data and errors.")
    ] = False,
    version: Annotated[  # noqa: ARG001 - its callback has done all
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Keeps the options that every command shares."""
    context.obj = State(folder=folder, debug=debug, quiet=quiet)


def run(arguments: list[str] | None = None) -> int:
    """Runs the command line and gives the exit code; no traceback reaches a user without `--debug`."""
    try:
        code = app(args=arguments, standalone_mode=False)
        # Here and not at exit: a full disk or a reader that has gone must be met where it can be told.
        sys.stdout.flush()
        # Typer turns an interrupt into this code and says nothing.
        return explain(KeyboardInterrupt()) if code == INTERRUPTED else int(code or OK)
    except BaseException as error:  # noqa: BLE001 - the last line of defence; what is no Exception is raised again
        code = explain(error)
        if "--debug" in (sys.argv if arguments is None else arguments):
            import traceback

            traceback.print_exception(error)
        return code


def explain(error: BaseException) -> int:
    """Says in one line what went wrong and what to do, and gives the exit code."""
    code = FAILED
    match error:
        case _ if isinstance(error, UsageError):
            show: Any = error
            show.show()
            code = USAGE
        case typer.Abort() | KeyboardInterrupt():
            show_error(
                "interrupted", "what was stored stays; type the same command to go on (a training: with --resume)"
            )
            code = INTERRUPTED
        case _ if isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError):
            # The reader of our output (head, less) has gone; that is no failure. Python would write the rest at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = OK
        case CuratorError():
            show_error(error.message, error.hint)
            code = error.exit_code
        case OSError():
            # What no boundary has put into words: a folder that may not be written, a disk that is full or fails.
            where = f"{error.filename}: " if error.filename else ""
            show_error(f"{where}{error.strerror or error}", advise_on_disk(error.errno))
        case ModuleNotFoundError() if (error.name or "").partition(".")[0] in EXTRA_OF:
            extra = EXTRA_OF[(error.name or "").partition(".")[0]]
            show_error(f"the library {error.name} is not installed", f"pip install 'corpus-curator[{extra}]'")
            code = USAGE
        case MemoryError():
            show_error("not enough memory", "close other programs, or work on less at once")
        case Exception():
            hint = "this is a defect of curator: run it again with --debug and report what it prints"
            show_error(f"{type(error).__name__}: {error}", hint)
        case _:
            raise error
    return code
