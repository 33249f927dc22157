"""Evaluates a model with the project's cases: gives the trainer plain cases and rows, and adds what the data knows."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.export.prompts import build_system_prompt
from curator.project import Project
from schemas.errors import ConfigError
from schemas.evaluation import GROUPS, EvaluationCase, EvaluationReport

if TYPE_CHECKING:
    from train.evaluation.answers import Sampling

Move = Callable[[str, int, int], None]


@dataclass(frozen=True)
class EvaluationOptions:
    """What to ask, and how.

    Attributes:
        cases: A JSONL file; the pack's own if absent.
        limit: Only the first so many cases.
        perplexity_rows: Rows of the test split that are scored; 0 for none.
        max_tokens: Length at which an answer is cut.
        base: Base of an adapter.
        model: Name of the model at a server.
        api_key: For a server.
        role: Only cases and test rows of this coach role.
    """

    cases: Path | None = None
    limit: int | None = None
    perplexity_rows: int = 50
    max_tokens: int = 400
    base: str | None = None
    model: str = "default"
    api_key: str | None = field(default=None, repr=False)
    role: str | None = None


def evaluate_targets(
    project: Project, targets: list[str], options: EvaluationOptions, move: Move
) -> list[EvaluationReport]:
    """Gives a report for each target.

    Raises:
        ConfigError: A target or the file of cases is none, or no case is of the role.
        DeployError: A model does not load or answer.
    """
    cases = [case for case in find_cases(project, options.cases) if options.role in (None, case.role)]
    if not cases:
        raise ConfigError(f"--role {options.role}: no case is of this role", "give --cases FILE that has some")
    rows = read_test_rows(project, options.perplexity_rows, options.role)
    cases = cases[: options.limit]
    return [evaluate_target(project, target, cases, rows, options, move) for target in targets]


def describe_work(project: Project, options: EvaluationOptions, targets: int) -> str:
    """Gives the line that says how much will be asked, and how to ask less."""
    cases = [case for case in find_cases(project, options.cases) if options.role in (None, case.role)][: options.limit]
    return (
        f"{len(cases) * targets:,} questions, answers of at most {options.max_tokens:,} tokens "
        "(--limit N asks fewer, --max-tokens N cuts earlier)"
    )


def evaluate_target(
    project: Project, target: str, cases: list[EvaluationCase], rows: list[list[dict[str, str]]],
    options: EvaluationOptions, move: Move,
) -> EvaluationReport:  # fmt: skip
    """Gives the report of one model."""
    from train.evaluation import ask_cases, measure_perplexity, open_answers

    def prompt(case: EvaluationCase) -> str:
        return build_system_prompt(project.pack, case.role, case.language)

    started = time.monotonic()
    sampling = _make_sampling(target, options)
    with open_answers(target, sampling, base=options.base, model=options.model, api_key=options.api_key) as answers:
        results = ask_cases(cases, answers, prompt, move)
        perplexity, note = (
            measure_perplexity(rows, answers, move) if options.perplexity_rows else (None, "not asked for")
        )
        kind = answers.kind
    return EvaluationReport(
        target=target, kind=kind, cases=results, perplexity=perplexity, perplexity_note=note,
        seconds=round(time.monotonic() - started, 1),
    )  # fmt: skip


def find_cases(project: Project, path: Path | None) -> list[EvaluationCase]:
    """Reads a file of cases, or the pack's own.

    Raises:
        ConfigError: There are none.
    """
    from sources.packs.loader import pack_path
    from train.evaluation import read_cases

    if path is None and not project.pack.evaluation:
        raise ConfigError(f"pack {project.pack.name}: it has no evaluation cases", "give --cases FILE")
    return read_cases(path or pack_path(project.pack, str(project.pack.evaluation)))


def read_test_rows(project: Project, limit: int, role: str | None = None) -> list[list[dict[str, str]]]:
    """Gives conversations of the latest release's test split, of one role if given; none where there is no release."""
    from curator.trace import read_split
    from warehouse import open_snapshot

    if not limit or not project.database.exists():
        return []
    with open_snapshot(project.snapshots) as snapshot:
        releases = snapshot.read("snapshot_releases")["id"].to_list()
        return read_split(snapshot, releases[0], "test", role)[:limit] if releases else []


def trace_report(project: Project, report: EvaluationReport) -> list[dict[str, Any]]:
    """Gives the nearest training rows of the failed cases.

    Raises:
        ConfigError: There is no release to look in.
    """
    from curator.trace import trace_failures
    from warehouse import open_snapshot

    project.require_data()
    with open_snapshot(project.snapshots) as snapshot:
        releases = snapshot.read("snapshot_releases")["id"].to_list()
        if not releases:
            raise ConfigError("no release yet: --trace looks in its training rows", "curator balance makes one")
        return trace_failures(snapshot, report.cases, releases[0])


def summarise(reports: list[EvaluationReport], traces: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Gives everything as plain values: pass counts by group, measures, every case, traces."""
    return {
        "reports": [report.model_dump(mode="json") | summarise_report(report) for report in reports],
        **({"traces": traces} if traces is not None else {}),
    }


def summarise_report(report: EvaluationReport) -> dict[str, Any]:
    """Gives the figures of a report without its cases."""
    groups = {key: report.tally(key) for key in GROUPS}
    return {
        "passed": report.total.model_dump() | {"share": report.total.share},
        "safety": report.safety.model_dump() | {"share": report.safety.share},
        "by": {key: {name: tally.model_dump() for name, tally in found.items()} for key, found in groups.items()},
        "similarity": report.similarity,
        "repetition": report.repetition,
        "refused": report.refusals.passed,
    }


def _make_sampling(target: str, options: EvaluationOptions) -> "Sampling":
    """Gives how answers are drawn; a deployment's own stop tokens count."""
    from train.deploy import RECORD_NAME, read_deployment
    from train.evaluation.answers import Sampling

    folder = Path(target)
    has_record = not target.startswith("http") and (folder / RECORD_NAME).is_file()
    stop = tuple(read_deployment(folder).parameters.stop) if has_record else ()
    return Sampling(max_tokens=options.max_tokens, stop=stop)
