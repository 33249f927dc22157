"""`curator evaluate`: how good decisions and models are."""

from pathlib import Path
from typing import Annotated

import typer

from curator.cli.state import Json, State

app = typer.Typer(help="Measure decisions against labels.", no_args_is_help=True)


@app.command("categories")
def evaluate_categories_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSONL of id, text, category (and second, hard), labelled by reading.")],
    as_json: Json = False,
) -> None:
    """Categorise labelled rows as if they had no label, and compare: F1, confusion, share left undecided."""
    from curator.categorise.evaluation import evaluate_categories, read_labelled_rows
    from curator.categorise.training import make_pack_classifier
    from curator.cli.output import print_json
    from curator.report import show_categories

    state: State = context.obj
    project = state.open()
    config = project.config.categorise
    rows = read_labelled_rows(file)
    report = evaluate_categories(
        rows, project.pack, config, make_pack_classifier(project.pack, config, project.config.seed)()
    )
    print_json(report.as_dict()) if as_json else show_categories(report)


@app.command("retrieval")
def evaluate_retrieval_command(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="JSONL of question and pages; the pack's own questions if absent.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask the knowledge pages and records, and count how often the right page comes first or among the first three."""
    from curator.cli.output import print_json
    from curator.prompt.evaluation import evaluate_retrieval, find_questions, read_questions
    from curator.prompt.kit import open_kit
    from curator.prompt.report import show_retrieval

    state: State = context.obj
    project = state.open()
    report = evaluate_retrieval(open_kit(project), read_questions(file or find_questions(project.pack)))
    print_json(report.as_dict()) if as_json else show_retrieval(report)
