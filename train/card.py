"""The card of a trained model: `README.md` beside its weights, with what it was made of and what it gave."""

import json
from pathlib import Path
from typing import Any

from schemas.training import TrainReport

RECORD = "train.json"


def write_record(report: TrainReport, folder: Path) -> Path:
    """Writes `train.json`: release, lock, recipe with the origin of each value, base revision, metrics, contract."""
    path = folder / RECORD
    path.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return path


def read_record(folder: Path) -> TrainReport | None:
    """Gives the record of a finished run; None where there is none that can be read."""
    try:
        return TrainReport.model_validate_json((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_card(report: TrainReport, folder: Path) -> Path:
    """Writes the card; the hub reads its head."""
    path = folder / "README.md"
    path.write_text(format_card(report), encoding="utf-8")
    return path


def format_card(report: TrainReport) -> str:
    """Gives the text of the card."""
    metrics = report.metrics
    facts = [
        ("release", f"`{report.release}`"),
        ("corpus.lock (sha256)", f"`{report.lock_sha256 or 'unknown'}`"),
        ("base", f"`{report.base}` at `{report.base_revision}`"),
        ("recipe", f"`{report.recipe_name}` (sha256 `{report.recipe_sha256[:16]}`)"),
        ("method", report.method),
        ("loss on", {"assistant": "answers and their stop token", "all": "every token"}[report.loss]),
        ("coach role", report.coach_role or "all"),
        (
            "rows",
            f"{report.contract.used.get('train', 0)} to learn, {report.contract.used.get('validation', 0)} held out",
        ),
        ("steps, epochs, tokens", f"{metrics.get('steps')}, {metrics.get('epochs')}, {metrics.get('tokens')}"),
        ("training loss, first and last", f"{_round(metrics.get('first_loss'))}, {_round(metrics.get('last_loss'))}"),
        ("best validation loss", _round(metrics.get("best_eval_loss"))),
        ("device, precision, backend", f"{report.device}, {report.precision}, {report.backend}"),
    ]
    head = {
        "base_model": report.base if not report.base.startswith(("/", ".", "~")) else None,
        "library_name": "transformers" if report.method == "full" else "peft",
        "pipeline_tag": "text-generation",
        "tags": ["curator", report.method, f"release:{report.release}"],
    }
    settings = [f"| {key} | {_cell(value)} | {report.origins[key]} |" for key, value in _flatten(report).items()]
    lines = [
        "---",
        *(f"{key}: {json.dumps(value)}" for key, value in head.items() if value),
        "---",
        "",
        f"# {report.recipe.title}",
        "",
        "| what | value |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in facts),
        "",
        "The chat template beside the weights is the base's own, unchanged.",
        "",
        "## Settings and where each came from",
        "",
        "| setting | value | from |",
        "|---|---|---|",
        *settings,
        "",
        "## Packages",
        "",
        ", ".join(f"{name} {version}" for name, version in report.versions.items()),
    ]
    return "\n".join(lines) + "\n"


def _flatten(report: TrainReport) -> dict[str, Any]:
    from train.recipe import flatten_recipe

    return {key: value for key, value in flatten_recipe(report.recipe).items() if key in report.origins}


def _cell(value: Any) -> str:
    return str(json.dumps(value, ensure_ascii=False)).replace("|", "\\|")


def _round(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"
