"""The commands that show: sql, stats, why, status, duplicates."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from curator.cli.state import Json, State
from schemas.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    for name, command in (("sql", sql), ("stats", stats), ("why", why), ("duplicates", duplicates), ("status", status)):
        app.command(name, rich_help_panel="Explore")(command)


def sql(
    context: typer.Context,
    query: Annotated[str | None, typer.Argument(help="One query, or - for stdin; a shell if absent.")] = None,
    saved: Annotated[str | None, typer.Option(help="A saved query by name; `list` shows them.")] = None,
    output_format: Annotated[
        str, typer.Option("--format", "-f", help="table, json, csv, markdown or parquet")
    ] = "table",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the result to a file.")] = None,
    notebook: Annotated[
        Path | None, typer.Option(help="Write a marimo notebook on the snapshot to a .py file.")
    ] = None,
) -> None:
    """Query the newest snapshot: views corpus, mix, sources, rejected, duplicates, lineage and more."""
    from curator.cli.output import print_table
    from curator.sql.formats import FORMATS, write_result
    from curator.sql.run import run_query
    from curator.sql.saved import describe_saved, list_saved, read_saved
    from warehouse import find_snapshot

    state: State = context.obj
    project = state.open()
    if output_format not in FORMATS:
        raise ConfigError(f"--format {output_format!r}: unknown", f"expected one of {', '.join(FORMATS)}")
    if notebook:
        from curator.cli.output import say
        from curator.sql.notebook import write_notebook

        find_snapshot(project.snapshots)
        say(f"{write_notebook(notebook, project.root, project.snapshots)} queries: marimo edit {notebook}")
        return
    if saved == "list":
        rows = [[name, describe_saved(path)] for name, path in list_saved(project.root).items()]
        print_table("", ["query", "shows"], rows)
        return
    if saved:
        query = read_saved(project.root, saved)
    elif query == "-":
        query = sys.stdin.read()
    elif query is None:
        from curator.sql.shell import run_shell

        if not sys.stdin.isatty():
            raise ConfigError("no query, and stdin is no terminal", "curator sql QUERY, or - to read it from stdin")
        run_shell(project.snapshots, project.root, output_format)
        return
    write_result(run_query(find_snapshot(project.snapshots), query), output_format, output)


def stats(
    context: typer.Context,
    plot: Annotated[Path | None, typer.Option(help="Draw mix against target into a .png or .svg file.")] = None,
    diversity: Annotated[bool, typer.Option("--diversity", help="How many rows say something of their own.")] = False,
    metrics: Annotated[bool, typer.Option("--metrics", help="What users make of the coach, and the arms.")] = False,
    as_json: Json = False,
) -> None:
    """Show what is in the corpus: the funnel, the mix against the target, sources and splits."""
    from curator.cli.output import print_json, say
    from curator.plot import plot_mix
    from curator.report import show_stats
    from curator.statistics import read_statistics

    state: State = context.obj
    project = state.open()
    with state.read(project) as snapshot:
        if metrics:
            from curator.feedback.metrics import read_metrics, show_metrics

            told = read_metrics(snapshot, project.config.experiment)
            print_json(told) if as_json else show_metrics(told)
            return
        found = read_statistics(snapshot)
        if diversity:
            from curator.diversity_report import read_diversity, show_diversity

            measured = read_diversity(snapshot)
            print_json(measured) if as_json else show_diversity(measured)
            return
    print_json(found.as_dict()) if as_json else show_stats(found)
    if plot:
        plot_mix(found.mix, plot)
        say(f"mix against target: {plot}")


def why(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="Id (or its beginning) of an example or document, or a text.")],
    is_not: Annotated[bool, typer.Option("--not", help="Find the nearest rejected rows to a text.")] = False,
    as_json: Json = False,
) -> None:
    """Tell the life of a row: where from, each decision with its score, category, split, releases."""
    from curator.cli.output import print_json
    from curator.report import show_life
    from curator.why import find_nearest_rejected, read_life

    state: State = context.obj
    with state.read(state.open()) as snapshot:
        lives = find_nearest_rejected(snapshot, subject) if is_not else [read_life(snapshot, subject)]
    if as_json:
        print_json(lives)
        return
    for life in lives:
        show_life(life)


def duplicates(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="Clusters to show.")] = 10,
    plot: Annotated[Path | None, typer.Option(help="Draw the similarity histogram into a .png or .svg file.")] = None,
    thresholds: Annotated[bool, typer.Option("--thresholds", help="Count removals at other thresholds.")] = False,
    as_json: Json = False,
) -> None:
    """Show clusters of near-duplicates with word diffs, and what other thresholds would do."""
    from curator.cli.output import print_json, say
    from curator.duplicates_report import read_duplicates, show_duplicates
    from curator.plot import plot_similarities

    state: State = context.obj
    project = state.open()
    with state.read(project) as snapshot:
        found = read_duplicates(snapshot, limit, with_thresholds=thresholds)
    print_json(found.as_dict()) if as_json else show_duplicates(found)
    if plot:
        plot_similarities(found.similarities, project.config.dedup.threshold, plot)
        say(f"similarities: {plot}")


def status(context: typer.Context, as_json: Json = False) -> None:
    """Show the state of the project: what is stored, what is pending, who works on it."""
    from curator.cli.output import print_json, print_table
    from curator.statistics import read_status

    state: State = context.obj
    found = read_status(state.open())
    if as_json:
        print_json(found)
        return
    print_table("", ["what", "value"], [[key, value] for key, value in found.items()])
