"""The commands that decide: curate, balance, export, run, releases."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curator.cli.state import DryRun, Json, State, Wait
from schemas.errors import ConfigError

if TYPE_CHECKING:
    from curator.extract.llm import LlmSettings

FORMAT_NAMES = ("sharegpt", "alpaca", "instruction", "messages", "preference")
FORMATS = f"{', '.join(FORMAT_NAMES[:-1])} or {FORMAT_NAMES[-1]}"

Size = Annotated[str | None, typer.Option(metavar="ROWS|max", help="Rows wanted, or max: all that keeps the mix.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command("curate", rich_help_panel="Build")(curate)
    app.command("balance", rich_help_panel="Build")(balance)
    app.command("export", rich_help_panel="Build")(export)
    app.command("forget", rich_help_panel="Build")(forget_command)
    app.command("run", rich_help_panel="Build")(run_all)
    releases = typer.Typer(help="Look at frozen releases.", no_args_is_help=True)
    releases.command("list")(list_releases)
    releases.command("show")(show_release)
    releases.command("diff")(diff_releases)
    releases.command("verify")(verify_release)
    releases.command("rebuild")(rebuild)
    app.add_typer(releases, name="releases", rich_help_panel="Explore")


def curate(
    context: typer.Context,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of dedup; the result is the same.")] = None,
    engine: Annotated[str, typer.Option(help="local, or daft: on all cores or a Ray cluster (extra scale).")] = "local",
    ray: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Ray cluster of --engine daft, or local.")] = None,
    scratch: Annotated[
        str | None, typer.Option(metavar="URL", help="Folder or bucket that all workers reach, for --engine daft.")
    ] = None,
    llm: Annotated[
        str | None, typer.Option(metavar="URL", help="OpenAI-compatible server that writes examples from passages.")
    ] = None,
    llm_model: Annotated[str | None, typer.Option(metavar="NAME", help="Its model (key: CURATOR_LLM_API_KEY).")] = None,
    wait: Wait = 0.0,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Extract examples, screen, categorise and deduplicate whatever is new or whose settings changed."""
    from curator.cli.output import print_json, show_progress
    from curator.curate import count_pending, curate_corpus
    from curator.engine import make_engine
    from curator.project import change_project
    from curator.report import show_curate, show_pending
    from curator.statistics import describe_barren

    state: State = context.obj
    project = state.open()
    if dry_run:
        project.require_data()
        with change_project(project, "curate --dry-run", wait) as (warehouse, _):
            pending = count_pending(project, warehouse)
        print_json(pending) if as_json else show_pending(pending)
        return
    with (
        show_progress(quiet=state.quiet) as move,
        change_project(project, "curate", wait) as (warehouse, summary),
    ):
        settings = make_llm_settings(llm, llm_model)
        where = make_engine(engine, ray, scratch, project.root)
        report = curate_corpus(project, warehouse, move, threads, settings, where)
        if report.has_changed:
            summary.update(report.as_dict())
    if state.quiet and not as_json:
        return
    with state.read(project) as snapshot:
        report.alarms += describe_barren(snapshot)
        print_json(report.as_dict()) if as_json else show_curate(report, snapshot)


def balance(
    context: typer.Context,
    size: Size = None,
    fill: Annotated[str | None, typer.Option(help="synthetic: generate what categories lack, then balance.")] = None,
    against: Annotated[
        list[Path] | None, typer.Option(help="Evaluation file (JSONL) whose wording must not be learnt (repeatable).")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Breaks ties between rows of equal quality.")] = None,
    wait: Wait = 0.0,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Deal new units to train, validation and test, select rows to the target mix, and freeze a release."""
    from curator.balance.fill import fill_with_synthetic
    from curator.balance.release import freeze_release, plan_release
    from curator.cli.output import print_json, show_progress
    from curator.project import change_project
    from curator.report import show_release_report, show_waiting

    state: State = context.obj
    files = [str(path.absolute()) for path in against] if against else None
    project = state.open({"seed": seed, "balance": {"size": parse_size(size), "against": files}})
    if dry_run:
        project.require_data()
    if fill not in (None, "synthetic"):
        raise ConfigError(f"--fill {fill!r}: unknown", "expected --fill synthetic")
    with (
        show_progress(quiet=state.quiet) as move,
        change_project(project, "balance", wait) as (warehouse, summary),
    ):
        if fill and not dry_run:
            fill_with_synthetic(project, warehouse, move)
        waiting = int(warehouse.read_value("count_uncurated"))
        report = plan_release(project, warehouse) if dry_run else freeze_release(project, warehouse)
        if not dry_run and (not report.is_stored or fill):
            summary.update({"release": report.release_id, "size": report.size})
    if as_json:
        print_json({**report.as_dict(), "uncurated": waiting})
    elif not state.quiet:
        show_release_report(report, is_preview=dry_run)
        show_waiting(waiting)


def export(
    context: typer.Context,
    file_format: Annotated[str | None, typer.Option("--format", "-f", help=FORMATS)] = None,
    release: Annotated[str | None, typer.Option(help="Id of a release or its beginning; the latest if absent.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder; exports/RELEASE/FORMAT.")] = None,
    array: Annotated[bool | None, typer.Option("--array/--lines", help="One JSON array a file, or JSONL.")] = None,
    policy: Annotated[
        str | None, typer.Option(help="private, or publishable: without rows of unknown permission.")
    ] = None,
    system_prompt: Annotated[str | None, typer.Option(help="pack: attach the pack's prompt; none.")] = None,
    wait: Wait = 0.0,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Write the latest release as training files with manifest and dataset card."""
    from curator.cli.output import print_json
    from curator.export import export_release
    from curator.project import change_project
    from curator.report import show_export

    state: State = context.obj
    flags = {"format": parse_format(file_format), "array": array, "policy": policy, "system_prompt": system_prompt}
    project = state.open({"export": flags})
    if dry_run:
        project.require_data()
    with change_project(project, "export", wait, keeps_examples=True) as (warehouse, summary):
        report = export_release(
            project, warehouse, project.config.export, release, output.absolute() if output else None, dry_run=dry_run
        )
        if report.is_new and not dry_run:
            summary.update(report.as_dict())
    if as_json:
        print_json(report.as_dict())
    elif not state.quiet:
        show_export(report, is_preview=dry_run)


def forget_command(
    context: typer.Context,
    url: Annotated[str | None, typer.Option(help="Everything fetched from this URL.")] = None,
    author: Annotated[
        str | None, typer.Option(help="Everything of this author (a name; only its hash is stored).")
    ] = None,
    subject: Annotated[str | None, typer.Option("--id", help="A document or example, by id or natural key.")] = None,
    source: Annotated[str | None, typer.Option(help="A whole source, such as reddit.")] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Balance again and write the deleted exports anew.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Finish a forgetting that was killed.")] = False,
    wait: Wait = 0.0,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Erase something for good: rows, snapshots, caches, exports; ends with a search that proves it."""
    from curator.cli.output import print_json, say
    from curator.forget import forget, rebuild_exports, resume_forgetting
    from curator.report import show_forget

    state: State = context.obj
    if resume:
        say("finished what was left to do" if resume_forgetting(state.open(), wait) else "nothing was left to do")
        return
    given = [
        (kind, value)
        for kind, value in zip(("url", "author", "id", "source"), (url, author, subject, source), strict=True)
        if value
    ]
    if len(given) != 1:
        raise ConfigError(f"forget: {len(given)} things named, expected one", "give --url, --author, --id or --source")
    project = state.open()
    kind, value = given[0]
    report = forget(project, kind, [value], wait_s=wait, dry_run=dry_run)
    if rebuild and not dry_run:
        rebuild_exports(project, report, wait)
    print_json(report.as_dict()) if as_json else show_forget(report, is_preview=dry_run)
    if report.remains:
        raise typer.Exit(1)


def run_all(
    context: typer.Context,
    file_format: Annotated[list[str] | None, typer.Option("--format", "-f", help=f"{FORMATS} (repeatable).")] = None,
    wait: Wait = 0.0,
    as_json: Json = False,
) -> None:
    """Do everything that `curator.toml` configures: its ingests, curate, balance, export."""
    from curator.cli.output import print_json, show_progress
    from curator.pipeline import run_pipeline
    from curator.report import show_pipeline

    state: State = context.obj
    project = state.open()
    chosen = [name for name in map(parse_format, file_format or ()) if name]
    with show_progress(quiet=state.quiet) as move:
        report = run_pipeline(project, chosen or [project.config.export.format], move, wait)
    if as_json:
        print_json(report.as_dict())
    elif not state.quiet:
        show_pipeline(report)
    if report.is_partial:
        raise typer.Exit(3)


def list_releases(context: typer.Context, as_json: Json = False) -> None:
    """List the releases, the newest first."""
    from curator.cli.output import print_json, print_table
    from curator.releases import list_release_rows

    state: State = context.obj
    with state.read(state.open()) as snapshot:
        rows = list_release_rows(snapshot)
    if as_json:
        print_json(rows)
        return
    print_table("", list(rows[0]) if rows else ["release"], [list(row.values()) for row in rows])


def show_release(
    context: typer.Context,
    release: Annotated[str | None, typer.Argument(help="Id or its beginning; the latest if absent.")] = None,
    as_json: Json = False,
) -> None:
    """Show the mix, splits and shortfalls of a release."""
    from curator.cli.output import print_json
    from curator.releases import read_release
    from curator.report import show_stored_release

    state: State = context.obj
    with state.read(state.open()) as snapshot:
        found = read_release(snapshot, release)
    print_json(found) if as_json else show_stored_release(found)


def diff_releases(
    context: typer.Context,
    left: Annotated[str, typer.Argument(help="The older release.")],
    right: Annotated[str, typer.Argument(help="The newer release.")],
    as_json: Json = False,
) -> None:
    """Show which rows came in and went out between two releases, and why."""
    from curator.cli.output import print_json
    from curator.diff_report import show_diff
    from curator.releases import compare_releases

    state: State = context.obj
    with state.read(state.open()) as snapshot:
        found = compare_releases(snapshot, left, right)
    print_json(found) if as_json else show_diff(found)


def verify_release(
    context: typer.Context,
    release: Annotated[str | None, typer.Argument(help="Id or its beginning; the latest if absent.")] = None,
    wait: Wait = 0.0,
    as_json: Json = False,
) -> None:
    """Prove again, from the text, that no unit and no near-duplicate pair lies across splits."""
    from curator.cli.output import print_json
    from curator.project import change_project
    from curator.releases import verify_stored_release
    from curator.report import show_verification

    state: State = context.obj
    project = state.open()
    with change_project(project, "releases verify", wait) as (warehouse, _):
        found: dict[str, Any] = verify_stored_release(warehouse, release)
    print_json(found) if as_json else show_verification(found)
    if found["leaks"]:
        raise typer.Exit(1)


def rebuild(
    context: typer.Context,
    lock: Annotated[str, typer.Argument(metavar="LOCK|ID", help="A corpus.lock, or the id of a release.")],
    into: Annotated[Path | None, typer.Option(help="Folder of the export; exports/RELEASE/FORMAT.")] = None,
    file_format: Annotated[str | None, typer.Option("--format", "-f", help=FORMATS)] = None,
    wait: Wait = 0.0,
    as_json: Json = False,
) -> None:
    """Build a release again from its lock: the same bytes, or a new release where something was forgotten."""
    from curator.cli.output import print_json
    from curator.project import change_project
    from curator.rebuild import read_lock, rebuild_release
    from curator.rebuild_report import export_rebuilt, show_rebuild

    state: State = context.obj
    project = state.open({"export": {"format": parse_format(file_format)}})
    project.require_data()
    found = read_lock(project, lock)
    with change_project(project, "releases rebuild", wait) as (warehouse, summary):
        report = rebuild_release(project, warehouse, found)
        export_rebuilt(project, warehouse, report, into.absolute() if into else None)
        summary["rebuilt"] = report.release_id
    print_json(report.as_dict()) if as_json else show_rebuild(report)


def make_llm_settings(url: str | None, model: str | None) -> "LlmSettings | None":
    """Reads `--llm` and `--llm-model`; the key comes from the environment alone.

    Raises:
        ConfigError: One of them is given without the other.
    """
    if url is None and model is None:
        return None
    if url is None or model is None:
        raise ConfigError(
            "--llm and --llm-model go together", "for example --llm http://localhost:11434/v1 --llm-model qwen2.5"
        )
    import os

    from curator.extract.llm import LlmSettings

    key = os.environ.get("CURATOR_LLM_API_KEY")
    return LlmSettings.model_validate({"url": url, "model": model, **({"api_key": key} if key else {})})


def parse_format(text: str | None) -> str | None:
    """Reads `--format`.

    Raises:
        ConfigError: It is no export format; the hint names the nearest one.
    """
    if text is None or text in FORMAT_NAMES:
        return text
    from difflib import get_close_matches

    nearest = get_close_matches(text, FORMAT_NAMES, 1) or ["messages"]
    raise ConfigError(f"--format {text!r}: no export format, expected {FORMATS}", f"try --format {nearest[0]}")


def parse_size(text: str | None) -> int | str | None:
    """Reads `--size`.

    Raises:
        ConfigError: It is neither a positive number nor `max`.
    """
    if text is None or text == "max":
        return text
    if text.isdigit() and int(text) > 0:
        return int(text)
    raise ConfigError(f"--size {text!r}: expected a number of rows or max", "for example --size 2000")
