"""The answers of one or two models side by side, as one HTML file that needs nothing else."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schemas.evaluation import CaseResult, EvaluationReport

TEMPLATE = Path(__file__).with_name("side_by_side.html")


def render_side_by_side(reports: Sequence[EvaluationReport]) -> str:
    """Gives the page. Whatever models and cases say is escaped; the page runs no script and loads nothing.

    Args:
        reports: One or two, of the same cases.
    """
    from jinja2 import Environment, StrictUndefined

    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(reports=[_summarise(report) for report in reports], rows=_pair_cases(reports))


def _summarise(report: EvaluationReport) -> dict[str, Any]:
    return {
        "target": report.target,
        "total": report.total,
        "safety": report.safety,
        "similarity": report.similarity,
        "repetition": report.repetition,
        "refusals": report.refusals,
        "perplexity": report.perplexity,
    }


def _pair_cases(reports: Sequence[EvaluationReport]) -> list[dict[str, Any]]:
    """Gives the cases, those on which the models differ first, then those that any fails."""
    others = [{case.case_id: case for case in report.cases} for report in reports]
    rows = []
    for case in reports[0].cases:
        answers: list[CaseResult] = [by_id[case.case_id] for by_id in others if case.case_id in by_id]
        outcomes = {answer.is_passed for answer in answers}
        rank = 0 if len(outcomes) > 1 else 1 if False in outcomes else 2
        rows.append({"case": case, "answers": answers, "rank": rank})
    return sorted(rows, key=lambda row: row["rank"])
