"""What is known of trained models beside their record: the curve of the loss, and the reports of evaluations."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from schemas.evaluation import EvaluationReport

CURVES = {"loss": "training loss", "eval_loss": "validation loss"}
EVALUATIONS = "evaluations"
MAX_REPORTS = 6


def read_curve(root: Path, adapter: dict[str, Any]) -> dict[str, Any] | None:
    """Gives a picture of the loss by step, from the trainer's own log (`trainer_state.json`), or None.

    Args:
        root: The project; logs elsewhere are not read.
        adapter: Row of `adapters`.
    """
    rows = _read_log(root, adapter)
    series = []
    for key, name in CURVES.items():
        points = [(row["step"], row[key]) for row in rows if isinstance(row.get(key), int | float) and "step" in row]
        if points:
            series.append({"name": name, "x": [step for step, _ in points], "values": [loss for _, loss in points]})
    if not series:
        return None
    return {"kind": "line", "x_kind": "number", "x": series[0]["x"], "x_title": "step", "y_title": "loss",
            "series": series}  # fmt: skip


def _read_log(root: Path, adapter: dict[str, Any]) -> list[dict[str, Any]]:
    folder = (root / adapter["path"]).resolve()
    if not folder.is_relative_to(root.resolve()) or not folder.is_dir():
        return []
    states = sorted(folder.glob("**/trainer_state.json"), key=lambda path: path.stat().st_mtime)
    if not states:
        return []
    try:
        rows = json.loads(states[-1].read_bytes()).get("log_history", [])
    except (ValueError, OSError, AttributeError):
        return []
    return [row for row in rows if isinstance(row, dict)]


def read_evaluations(root: Path) -> list[dict[str, Any]]:
    """Gives the newest reports in `evaluations/*.json` (`curator evaluate model --json`), side by side."""
    files = sorted((root / EVALUATIONS).glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    found = []
    for path in files:
        try:
            value = json.loads(path.read_bytes())
            reports = value if isinstance(value, list) else [value]
            parsed = [EvaluationReport.model_validate(report) for report in reports]
        except (ValueError, ValidationError, OSError):
            continue
        found += [_sum_up(path.stem, report) for report in parsed]
    return found[:MAX_REPORTS]


def _sum_up(name: str, report: EvaluationReport) -> dict[str, Any]:
    return {
        "name": name,
        "target": Path(report.target).name or report.target,
        "total": report.total,
        "safety": report.safety,
        "similarity": report.similarity,
        "perplexity": report.perplexity.value if report.perplexity else None,
        "repetition": report.repetition,
        "seconds": report.seconds,
        "categories": report.tally("category"),
    }
