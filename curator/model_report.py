"""Shows evaluations and deployments on the terminal."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curator.atomic import write_file
from curator.cli.output import print_table, say
from schemas.deployment import Deployment
from schemas.evaluation import GROUPS, EvaluationReport, Tally


def show_evaluations(reports: Sequence[EvaluationReport]) -> None:
    """Shows pass rates by group and the measures of one or two models."""
    groups: list[tuple[str, list[Tally]]] = [("all", [report.total for report in reports])]
    groups.append(("safety", [report.safety for report in reports]))
    for key in GROUPS:
        tallies = [report.tally(key) for report in reports]
        groups += [(f"{key}: {name}", [tally.get(name, Tally(passed=0, cases=0)) for tally in tallies])
                   for name in tallies[0]]  # fmt: skip
    names = [report.target for report in reports]
    print_table("passed cases", ["", *names], [[name, *map(_tell, tallies)] for name, tallies in groups])
    measures = [
        ["similarity to references (chrF)", *(_round(report.similarity) for report in reports)],
        ["repeated 4-grams", *(_round(report.repetition) for report in reports)],
        ["refused", *(_tell(report.refusals) for report in reports)],
        ["perplexity of test answers", *(_tell_perplexity(report) for report in reports)],
        ["seconds", *(f"{report.seconds:.1f}" for report in reports)],
    ]
    print_table("measures", ["", *names], measures)
    for report in reports:
        show_failures(report)


def write_pictures(reports: Sequence[EvaluationReport], html: Path | None, plot: Path | None) -> None:
    """Writes the answers side by side and the pass rates, where asked for.

    Raises:
        ConfigError: The picture's ending is unknown.
        ExportError: The disk refuses.
    """
    if html:
        from train.evaluation.side_by_side import render_side_by_side

        write_file(html, render_side_by_side(reports).encode())
        say(f"{html}: answers side by side")
    if plot:
        from train.evaluation.plot import plot_pass_rates

        plot_pass_rates(reports, plot)
        say(f"{plot}: pass rates")


def show_failures(report: EvaluationReport, most: int = 12) -> None:
    """Shows what failed in the first failed cases."""
    failed = [case for case in report.cases if not case.is_passed]
    rows = [[case.case_id, "; ".join(f"{c.label}: {c.found}" for c in case.failed)] for case in failed[:most]]
    if rows:
        print_table(f"failed: {report.target}", ["case", "what"], rows)
    if len(failed) > most:
        say(f"and {len(failed) - most} more (--json has all)")


def show_traces(traces: Sequence[dict[str, Any]]) -> None:
    """Shows the nearest training rows of failed cases."""
    rows = [
        [trace["case"], row["similarity"], row["id"][:12], row["category"], row["where"], row["question"][:80]]
        for trace in traces
        for row in trace["rows"]
    ]
    print_table("nearest training rows", ["case", "overlap", "row", "category", "where", "question"], rows)
    missing = [trace["case"] for trace in traces if not trace["rows"]]
    if missing:
        say(f"no training row is near: {', '.join(missing)}")


def show_deployment(deployment: Deployment, folder: str) -> None:
    """Shows what was deployed, and each step of the parity gate."""
    rows = [[step.step, "equal" if not step.tolerance else f"{step.measured:.2g} ≤ {step.tolerance:.2g}", step.detail]
            for step in deployment.parity]  # fmt: skip
    print_table(f"deployment {deployment.id[:12]}", ["step", "parity", ""], rows)
    say(
        f"{folder}/{deployment.gguf}: {deployment.architecture} {deployment.quantisation}, {deployment.size_bytes:,} bytes"
    )
    say("talk to it: curator chat" + (f"    in Ollama: {deployment.ollama_model}" if deployment.ollama_model else ""))


def _tell(tally: Tally) -> str:
    return f"{tally.passed}/{tally.cases} ({100 * tally.share:.0f} %)" if tally.cases else "–"


def _round(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _tell_perplexity(report: EvaluationReport) -> str:
    found = report.perplexity
    return f"{found.value:.2f} ({found.rows} rows)" if found else f"– ({report.perplexity_note})"
