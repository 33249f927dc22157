"""Releases and models: what was frozen, how two of them differ, their files, and what was trained on them."""

import json
from collections import Counter
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from curator.releases import compare_releases
from curator.service.access import Reader, ServiceOf
from curator.service.context import Service
from curator.service.downloads import list_files
from curator.service.pages.lineage import draw_lineage
from curator.service.pages.render import render_page
from curator.service.pages.route import PageRoute
from curator.service.pages.training import read_curve, read_evaluations
from schemas.errors import ConfigError

router = APIRouter(route_class=PageRoute)

MAX_CHANGES = 200


@router.get("/releases")
def show_releases(
    request: Request,
    service: ServiceOf,
    client: Reader,  # noqa: ARG001
    release: str = "",
    left: str = "",
    right: str = "",
    model: str = "",
) -> Response:
    """Gives all releases, one of them opened, two of them compared, and the models that were made of them."""
    if not service.reader.version:
        return render_page(request, "nothing.html", page="releases", title="Releases and models")
    releases = service.reader.read_cached("pages/release_list").to_dicts()
    chosen = next((row for row in releases if release and row["id"].startswith(release)), None)
    chosen = chosen or next(iter(releases), None)
    adapters = [_describe_adapter(row) for row in service.reader.read_cached("pages/adapters").to_dicts()]
    opened = next((row for row in adapters if model and row["id"].startswith(model)), next(iter(adapters), None))
    deployments = service.reader.read_cached("pages/deployments").to_dicts()
    flows = service.reader.read_cached("pages/lineage_flows").to_dicts()
    return render_page(
        request,
        "releases.html",
        page="releases",
        releases=releases,
        chosen=chosen,
        files=_group_files(service, chosen["id"]) if chosen else {},
        comparison=_compare(service, left, right, [row["id"] for row in releases]),
        lineage=draw_lineage(flows, adapters, deployments) if flows else None,
        adapters=adapters,
        opened=opened,
        curve=read_curve(service.project.root, opened) if opened else None,
        deployments=[{**row, "parity": _flatten(row["parity"])} for row in deployments],
        evaluations=read_evaluations(service.project.root),
    )


def _group_files(service: Service, release: str) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for file in list_files(service.project.exports, release):
        groups.setdefault(file.format, []).append(file)
    return groups


def _compare(service: Service, left: str, right: str, known: list[str]) -> dict[str, Any] | None:
    """Gives the difference of two releases; of the last two where none are named, None where there is only one."""
    if len(known) < 2:
        return None
    # The list is the newest first; what is new stands on the right.
    names = (left or known[1], right or known[0])
    try:
        with service.reader.open() as snapshot:
            found = compare_releases(snapshot, *names)
    except ConfigError as error:
        return {"left": names[0], "right": names[1], "refusal": error}
    changes = found["changes"]
    by_category = Counter((row["category"] or "uncategorised", row["change"]) for row in changes)
    categories = sorted({category for category, _ in by_category})
    table = [
        {"category": name, "in": by_category[name, "in"], "out": by_category[name, "out"],
         "moved": by_category[name, "moved"], "left": found["mix"]["left"].get(name),
         "right": found["mix"]["right"].get(name)}
        for name in categories
    ]  # fmt: skip
    return {**found, "refusal": None, "table": table, "changes": changes[:MAX_CHANGES], "num_changes": len(changes)}


def _describe_adapter(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "metrics": _flatten(row["metrics"])}


def _flatten(text: str | None) -> list[tuple[str, str]]:
    """Gives the figures of a JSON object as names and texts; what is nested or long is left out."""
    values = json.loads(text or "{}")
    shown = []
    for name, value in values.items() if isinstance(values, dict) else ():
        if isinstance(value, bool | int | str):
            shown.append((name, str(value)))
        elif isinstance(value, float):
            shown.append((name, f"{value:,.4g}"))
    return [(name.replace("_", " "), value) for name, value in shown if len(value) <= 60]
