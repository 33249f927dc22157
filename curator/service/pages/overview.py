"""Overview: how much there is, what was left out and why, and how close the release is to the target mix."""

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from curator.service.access import Reader, ServiceOf
from curator.service.pages.render import render_page
from curator.service.pages.route import PageRoute
from curator.service.snapshot_reader import SnapshotReader

router = APIRouter(route_class=PageRoute)

FIGURES = {
    "documents": "documents",
    "examples": "examples",
    "rejected": "rejected",
    "duplicates": "duplicates",
    "kept": "kept",
    "released": "in the last release",
}
MAX_REASONS = 8
MANY_YEARS = 4


@router.get("/")
def show_overview(request: Request, service: ServiceOf, client: Reader) -> Response:  # noqa: ARG001
    """Gives the overview; where nothing was ingested yet, the command that begins."""
    if not service.reader.version:
        return render_page(request, "nothing.html", page="overview", title="Overview")
    read = service.reader.read_cached
    reasons = read("pages/reasons").to_dicts()
    return render_page(
        request,
        "overview.html",
        page="overview",
        figures=[(FIGURES[row["figure"]], row["rows"]) for row in read("pages/funnel").to_dicts()],
        reasons=reasons[:MAX_REASONS],
        more_reasons=len(reasons) - MAX_REASONS,
        mix=_scale_mix(read("mix").to_dicts()),
        sources=read("source_counts").to_dicts(),
        timeline=_draw_timeline(service.reader),
        runs=[_describe_run(row) for row in read("pages/last_runs").to_dicts()],
        releases=read("pages/release_list").to_dicts()[:5],
    )


def _scale_mix(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Gives the mix with the share that fills a bar, so that small categories stay visible."""
    shares = [row[name] or 0.0 for row in rows for name in ("target_share", "released_share", "kept_share")]
    return {"rows": rows, "scale": max([*shares, 0.01]), "is_released": any(row["released"] for row in rows)}


def _draw_timeline(reader: SnapshotReader) -> dict[str, Any]:
    """Gives documents by source and year, or by month where all fall into a few years."""
    rows = reader.read_cached("pages/timeline").to_dicts()
    name, key = "pages/timeline", "year"
    if len({row["year"] for row in rows}) < MANY_YEARS:
        name, key = "pages/timeline_months", "month"
        rows = reader.read_cached(name).to_dicts()
    moments = sorted({str(row[key]) for row in rows if row[key] is not None})
    counts = {(row["source"], str(row[key])): row["documents"] for row in rows}
    series = [
        {"name": source, "values": [counts.get((source, moment), 0) for moment in moments]}
        for source in sorted({row["source"] for row in rows})
    ]
    picture = {"kind": "bar", "x": moments, "series": series, "is_stacked": True, "y_title": "documents"}
    return {"picture": picture, "statement": name, "unit": key}


def _describe_run(row: dict[str, Any]) -> dict[str, Any]:
    """Gives a run with its summary in a few words: plain values only, folders and long texts left out."""
    values = json.loads(row["summary"] or "{}")
    parts = [
        f"{name.replace('_', ' ')} {value:,}" if isinstance(value, int) else f"{name.replace('_', ' ')} {value}"
        for name, value in values.items()
        if isinstance(value, int | float | str) and len(str(value)) <= 32 and "/" not in str(value)
    ]
    return {**row, "summary": ", ".join(parts)}
