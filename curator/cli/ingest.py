"""`curator ingest`: one command a source."""

from collections.abc import Callable, Mapping
from datetime import datetime
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any

import typer

from curator.cli.state import DryRun, Json, State, Wait
from schemas.errors import ConfigError

PARTIAL = 3

app = typer.Typer(
    help="Read a source into the project. Without arguments a source uses the pack's defaults.",
    no_args_is_help=False,
    invoke_without_command=True,
)

Options = Mapping[str, Any]
Language = Annotated[str | None, typer.Option(help="Language of what is read, ISO 639-1.")]
Licence = Annotated[str | None, typer.Option("--licence", help="Licence of what is read: an SPDX id where one exists.")]
PermissionOption = Annotated[
    str | None, typer.Option("--permission", help="granted, own or unknown: may it be published and trained on?")
]
Basis = Annotated[str | None, typer.Option("--basis", help="In words: why you may hold it.")]


def _rights(licence: Licence = None, permission: PermissionOption = None, basis: Basis = None) -> None:
    """Names the options that say what may be done with the rows of a source."""


def _run(wait: Wait = 0.0, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Names the options of every run."""


def _source(name: str, *, has_rights: bool = True) -> Callable[[Callable[..., Options]], Callable[..., None]]:
    """Makes a command of a function that gives the options of a connector from its own parameters.

    The command has these, those of the rights and those of every run; its help is the docstring of the function.
    """

    def register(read_own: Callable[..., Options]) -> Callable[..., None]:
        own, rights, run = (list(signature(part).parameters.values()) for part in (read_own, _rights, _run))
        context_parameter = Parameter("context", Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)

        def command(context: typer.Context, **values: Any) -> None:
            options = read_own(**{parameter.name: values.pop(parameter.name) for parameter in own})
            how = {parameter.name: values.pop(parameter.name) for parameter in run}
            # What is left are the rights.
            _ingest(context, name, {**options, **values}, **how)

        parameters = [context_parameter, *own, *(rights if has_rights else ()), *run]
        command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        command.__doc__ = read_own.__doc__
        return app.command(name)(command)

    return register


@app.callback()
def ingest_default(context: typer.Context) -> None:
    """Read the pack's own knowledge pages when no source is named."""
    if context.invoked_subcommand is None:
        _ingest(context, "markdown", {})


@_source("markdown")
def ingest_markdown(
    path: Annotated[list[Path] | None, typer.Argument(help="Folders or files; the pack's pages if absent.")] = None,
    label: Annotated[
        str | None, typer.Option(help="Name of the root in ids and links; the folder's if absent.")
    ] = None,
) -> Options:
    """Read a markdown knowledge base: headings, steps, tables and FAQs become examples with file and lines."""
    return {"path": _absolute(path), "label": label}


@_source("feedback")
def ingest_feedback(
    path: Annotated[
        list[Path] | None, typer.Argument(help="JSONL of events; the journal of `curator serve` if absent.")
    ] = None,
) -> Options:
    """Read what users said of recommendations and what came of them: each event once, late ones join earlier ones."""
    return {"path": _absolute(path)}


@_source("documents")
def ingest_documents(
    path: Annotated[list[Path], typer.Argument(help="Files or folders: .txt .html .epub .pdf .docx")],
    language: Language = None,
) -> Options:
    """Read books and documents that you own (needs the extra `documents` for .epub .pdf .docx)."""
    return {"path": _absolute(path), "language": language}


@_source("transcripts")
def ingest_transcripts(
    path: Annotated[list[Path], typer.Argument(help="Files or folders: .vtt .srt .sbv .json .md .txt")],
    language: Language = None,
    url_template: Annotated[str | None, typer.Option(help="Address of a transcript, with {id} for its id.")] = None,
) -> Options:
    """Read captions and transcripts; rolling auto-captions are unrolled, passages know their seconds."""
    return {"path": _absolute(path), "language": language, "url_template": url_template}


@_source("youtube")
def ingest_youtube(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID|URL|@FILE", help="Videos.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="A channel, listed with yt-dlp.")] = None,
    playlist: Annotated[list[str] | None, typer.Option(help="A playlist, listed with yt-dlp.")] = None,
    languages: Annotated[list[str] | None, typer.Option("--language", help="Preferred caption languages.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many videos of each channel or playlist.")
    ] = None,
    refresh: Annotated[bool | None, typer.Option("--refresh", help="Fetch videos again that are stored.")] = None,
    pause_s: Annotated[float | None, typer.Option("--pause", metavar="SECONDS", help="Between two videos.")] = None,
    proxy: Annotated[str | None, typer.Option(help="Proxy; one with a password: CURATOR_YOUTUBE_PROXY.")] = None,
) -> Options:
    """Fetch captions of videos (needs the extra `youtube`)."""
    return {
        "ids": ids or None,
        "channel": channel,
        "playlist": playlist,
        "languages": languages,
        "limit": limit,
        "refresh": refresh,
        "pause_s": pause_s,
        "proxy": proxy,
    }


@_source("reddit")
def ingest_reddit(
    dump: Annotated[list[Path] | None, typer.Option(help="RS_/RC_ .zst, .ndjson or .csv: files or folders.")] = None,
    saved: Annotated[list[Path] | None, typer.Option(help="API pages as saved by a browser or script (JSON).")] = None,
    subreddit: Annotated[list[str] | None, typer.Option(help="Only these (repeatable); the pack's if absent.")] = None,
    after: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Posted on or after.")] = None,
    before: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Posted before.")] = None,
    min_score: Annotated[int | None, typer.Option(help="Leave out posts and comments with a lower score.")] = None,
    max_window: Annotated[int | None, typer.Option(help="Largest zstd window in bytes that is accepted.")] = None,
    listing: Annotated[str | None, typer.Option(help="Live: top, new, hot or controversial.")] = None,
    time: Annotated[str | None, typer.Option(help="Live: hour, day, week, month, year or all.")] = None,
    limit: Annotated[int | None, typer.Option(help="Live: posts a subreddit (a listing holds 1,000).")] = None,
    comments: Annotated[bool | None, typer.Option("--comments/--no-comments", help="Live: comments too.")] = None,
    request_budget: Annotated[int | None, typer.Option(help="Live: requests this run may make.")] = None,
    recheck: Annotated[
        bool | None, typer.Option("--recheck", help="Live: ask whether stored items were deleted.")
    ] = None,
) -> Options:
    """Read Reddit: dumps and saved pages offline, or the live API for those who have access."""
    return {
        "dump": _absolute(dump),
        "saved": _absolute(saved),
        "subreddits": subreddit or ([] if dump or saved else None),
        "after": after.date() if after else None,
        "before": before.date() if before else None,
        "min_score": min_score,
        "max_window": max_window,
        "listing": listing,
        "time": time,
        "limit": limit,
        "comments": comments,
        "request_budget": request_budget,
        "recheck": recheck,
    }


@_source("dataset")
def ingest_dataset(
    path: Annotated[list[str], typer.Argument(help="Files, folders or hf://owner/name: JSON JSONL CSV Parquet XML")],
    columns: Annotated[
        list[str] | None, typer.Option("--map", metavar="ROLE=COLUMN", help="Such as question=Frage (repeatable).")
    ] = None,
    shape: Annotated[
        str | None, typer.Option(help="alpaca, sharegpt, messages, ...; found by itself if absent.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the dataset in ids.")] = None,
    template: Annotated[str | None, typer.Option(help="Record template of the pack for structured rows.")] = None,
) -> Options:
    """Read existing datasets; the shape is recognised, other column names are given with --map."""
    return {
        "path": [item if item.startswith("hf://") else str(_absolute_one(Path(item))) for item in path],
        "map": parse_pairs(columns or [], "--map") or None,
        "shape": shape,
        "name": name,
        "template": template,
    }


@_source("synthetic", has_rights=False)
def ingest_synthetic(
    count: Annotated[int | None, typer.Option(min=1, help="Examples; the pack's number if absent.")] = None,
    category: Annotated[list[str] | None, typer.Option(help="Only these categories (repeatable).")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed than the project's.")] = None,
    rules: Annotated[list[Path] | None, typer.Option(help="Your own rule files instead of the pack's.")] = None,
) -> Options:
    """Generate examples from the pack's rules: true by construction, the same for the same seed."""
    return {"count": count, "category": category or None, "seed": seed, "rules": _absolute(rules)}


@app.command("other")
def ingest_other(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of a third-party connector.")],
    option: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="An option of it (repeatable).")] = None,
    wait: Wait = 0.0,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Read a source whose connector another package has registered in `curator.sources`."""
    _ingest(context, name, parse_pairs(option or [], "--option"), wait, dry_run, as_json)


def parse_pairs(texts: list[str], flag: str) -> dict[str, str]:
    """Reads `key=value` arguments.

    Raises:
        ConfigError: One has no `=`.
    """
    pairs = {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator or not key or not value:
            raise ConfigError(f"{flag} {text!r}: expected NAME=VALUE", f"for example {flag} question=Frage")
        pairs[key] = value
    return pairs


def _ingest(
    context: typer.Context,
    name: str,
    options: Mapping[str, Any],
    wait: float = 0.0,
    dry_run: bool = False,
    as_json: bool = False,
) -> None:
    from curator.cli.output import print_json, show_progress
    from curator.forget import forget_deleted
    from curator.ingest import ingest_source, preview_source
    from curator.project import change_project
    from curator.report import show_ingest

    state: State = context.obj
    project = state.open()
    with show_progress(quiet=state.quiet) as move:
        if dry_run:
            report = preview_source(project, name, options)
        else:
            with change_project(project, f"ingest {name}", wait, keeps_examples=True) as (warehouse, summary):
                report = ingest_source(project, warehouse, name, options, lambda r: move(f"ingest {name}", r.read, 0))
                if report.has_changed:
                    summary.update(report.as_dict())
    if report.deleted and not dry_run:
        forget_deleted(project, report.deleted, wait)
    if as_json:
        print_json(report.as_dict())
    elif not state.quiet or report.is_partial:
        show_ingest(report, is_preview=dry_run)
    if report.is_partial:
        raise typer.Exit(PARTIAL)


def _absolute(paths: list[Path] | None) -> list[Path] | None:
    return [_absolute_one(path) for path in paths] if paths else None


def _absolute_one(path: Path) -> Path:
    # Not resolved: a connector must still see that a path is a symbolic link.
    return path.expanduser().absolute()
