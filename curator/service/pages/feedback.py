"""Feedback: what users make of the coach, by model, arm, role, category and week, and the arms of the experiment."""

from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from curator.experiments.report import METRICS as ARM_METRICS
from curator.feedback.metrics import read_metrics
from curator.service.access import Reader, ServiceOf
from curator.service.pages.render import render_page
from curator.service.pages.route import PageRoute

router = APIRouter(route_class=PageRoute)

METRICS = {
    "accuracy": ("agreed", "recommendation accuracy: rated 4 or 5, or followed unrated, and not corrected"),
    "pr_success": ("goal reached", "PR success: goal or record reached, of what was followed and has an outcome"),
    "injury_prevention": ("no injury", "injury prevention: nobody hurt, of what was followed and has an outcome"),
    "satisfaction": ("rating, 1-5", "satisfaction: the mean rating"),
    "adherence": ("followed", "adherence: done, of those who said whether they did it"),
    "relevance": ("relevance", "relevance: words of the question that the answer takes up"),
}
"""Column of the view `metrics`: what stands under its figure, and what it is."""
DIMENSIONS = ("model", "arm", "role", "category", "week")
SHARES = ("accuracy", "pr_success", "injury_prevention", "adherence")
DECISIONS = {
    "better": "better than the control",
    "worse": "worse than the control",
    "undecided": "no difference shown yet",
    "too_few": "too few users yet",
}


@router.get("/feedback")
def show_feedback(request: Request, service: ServiceOf, client: Reader) -> Response:  # noqa: ARG001
    """Gives the metrics and the experiment; where nothing was said yet, how feedback comes in."""
    if not service.reader.version:
        return render_page(request, "nothing.html", page="feedback", title="Feedback")
    config = service.project.config.experiment
    found = service.reader.remember(("feedback",), lambda snapshot: read_metrics(snapshot, config))
    groups = {name: list(rows) for name, rows in groupby(found["metrics"], lambda row: row["dimension"])}
    whole = groups.get("all", [{"recommendations": 0}])[0]
    return render_page(
        request,
        "feedback.html",
        page="feedback",
        whole=whole,
        metrics=METRICS,
        groups={name: _drop_unknown(groups.get(name, [])) for name in DIMENSIONS},
        weeks=draw_weeks(groups.get("week", [])),
        arms=describe_arms(found["arms"]),
        decisions=DECISIONS,
        experiment=config,
        control=config.control or (config.arms[0].name if config.arms else None),
    )


def draw_weeks(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Gives a picture of the shares by week, in per cent; None where there are fewer than two weeks."""
    weeks = [row for row in rows if row["value"]]
    if len(weeks) < 2:
        return None
    series = [
        {
            "name": METRICS[name][0],
            "values": [None if row[name] is None else round(100 * row[name], 1) for row in weeks],
        }
        for name in SHARES
    ]
    return {
        "kind": "line",
        "x": [row["value"][5:] for row in weeks],
        "x_title": "week of",
        "y_title": "%",
        "series": series,
    }


def describe_arms(arms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Gives the comparisons by metric, each with the place of its interval on a line from -1 to 1 (0: no difference)."""
    shown = []
    for metric, group in groupby(arms, lambda arm: arm["metric"]):
        rows = list(group)
        ends = [abs(end) for row in rows for end in _read_interval(row)]
        scale = max(ends, default=0.0) or 1.0
        shown.append(
            {
                "metric": metric,
                "title": ARM_METRICS[metric][0],
                "is_share": metric != "mean_rating",
                "rows": [{**row, "places": [end / scale for end in _read_interval(row)]} for row in rows],
            }
        )
    return shown


def _read_interval(row: dict[str, Any]) -> list[float]:
    difference = row["difference"] or {"low": None}
    return [] if difference["low"] is None else [difference["low"], difference["estimate"], difference["high"]]


def _drop_unknown(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Gives the rows of a dimension; none where nothing is known of it (no arms, no categories)."""
    return rows if any(row["value"] for row in rows) else []
