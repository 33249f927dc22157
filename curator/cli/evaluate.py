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


@app.command("model")
def evaluate_model_command(
    context: typer.Context,
    target: Annotated[str, typer.Argument(help="Adapter, model or deployment folder, GGUF file, or URL.")],
    against: Annotated[str | None, typer.Option(metavar="OTHER", help="A second model to compare with.")] = None,
    cases: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSONL of cases; the pack's own if absent.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many cases.")] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Show the nearest training rows of failed cases.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the answers side by side.")] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help=".png, .svg or .pdf of the pass rates.")] = None,
    base: Annotated[str | None, typer.Option(metavar="PATH", help="Where an adapter's base lies.")] = None,
    model: Annotated[str, typer.Option(help="Name of the model at a URL (key: CURATOR_CHAT_API_KEY).")] = "default",
    role: Annotated[str | None, typer.Option(help="Only cases and test rows of this coach role.")] = None,
    perplexity_rows: Annotated[int, typer.Option(min=0, help="Test rows to score; 0 for none.")] = 50,
    max_tokens: Annotated[int, typer.Option(min=1, help="Length at which an answer is cut.")] = 400,
    as_json: Json = False,
) -> None:
    """Ask a model the pack's cases: passed checks, similarity, repetition, refusals, perplexity of the test split."""
    import os

    from curator.cli.output import print_json, say, show_progress
    from curator.model_evaluation import EvaluationOptions, describe_work, evaluate_targets, summarise, trace_report
    from curator.model_report import show_evaluations, show_traces, write_pictures

    state: State = context.obj
    project = state.open()
    key = os.environ.get("CURATOR_CHAT_API_KEY")
    options = EvaluationOptions(cases, limit, perplexity_rows, max_tokens, base, model, key, role)
    if not (state.quiet or as_json):
        say(describe_work(project, options, 2 if against else 1))
    with show_progress(quiet=state.quiet) as move:
        reports = evaluate_targets(project, [target, *([against] if against else [])], options, move)
    write_pictures(reports, html, plot)
    traces = trace_report(project, reports[0]) if trace else None
    if as_json:
        print_json(summarise(reports, traces))
        return
    show_evaluations(reports)
    if traces is not None:
        show_traces(traces)
