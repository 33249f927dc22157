"""Duplicates: the clusters, how similar what was removed is, and what another threshold would remove."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from curator.service.access import Reader, ServiceOf
from curator.service.context import Service
from curator.service.pages.render import render_page
from curator.service.pages.route import PageRoute
from curator.service.pages.row import compare_members
from curator.service.pages.word_diff import diff_words, shorten
from curator.thresholds import THRESHOLDS, TOLERANCE, ThresholdCounts, count_thresholds

router = APIRouter(route_class=PageRoute)

PAGE_CLUSTERS = 20
MAX_PAIRS = 3


@router.get("/duplicates")
def show_duplicates(
    request: Request,
    service: ServiceOf,
    client: Reader,  # noqa: ARG001
    source: str = "",
    cluster: str = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """Gives clusters by size and source, one of them opened where it is asked for."""
    if not service.reader.version:
        return render_page(request, "nothing.html", page="duplicates", title="Duplicates")
    offset = (page - 1) * PAGE_CLUSTERS
    rows = service.reader.read(
        "pages/cluster_list", source=source or None, limit=PAGE_CLUSTERS + 1, offset=offset
    ).to_dicts()
    sizes = service.reader.read_cached("pages/cluster_sizes").to_dicts()
    return render_page(
        request,
        "duplicates.html",
        page="duplicates",
        clusters=rows[:PAGE_CLUSTERS],
        opened=_open(service, cluster),
        has_more=len(rows) > PAGE_CLUSTERS,
        page_number=page,
        source=source,
        sizes=sizes,
        figures={"clusters": sum(row["clusters"] for row in sizes), "removed": sum(row["removed"] for row in sizes)},
        pairs_of_sources=service.reader.read_cached("pages/cluster_sources").to_dicts(),
        histogram=_draw_histogram(service),
        threshold=service.project.config.dedup.threshold,
    )


@router.get("/duplicates/thresholds")
def show_thresholds(request: Request, service: ServiceOf, client: Reader) -> Response:  # noqa: ARG001
    """Gives the counts at all thresholds; the slider shows them without asking again."""
    found = _count(service)
    in_force = round(min(max(service.project.config.dedup.threshold, THRESHOLDS[0]), 1.0), 2)
    return render_page(
        request,
        "thresholds.html",
        page="duplicates",
        counts=found.counts,
        num_rows=found.num_rows,
        in_force=in_force,
        now=next(row for row in found.counts if row["threshold"] == in_force),
        picture={
            "kind": "line",
            "x_kind": "number",
            "x": [row["threshold"] for row in found.counts],
            "x_title": "Jaccard similarity at least",
            "y_title": "rows removed",
            "series": [{"name": "rows removed", "values": [row["removed"] for row in found.counts]}],
            "mark": in_force,
            "mark_label": "in force",
        },
    )


@router.get("/duplicates/pairs")
def show_pairs(
    request: Request,
    service: ServiceOf,
    client: Reader,  # noqa: ARG001
    at: Annotated[float, Query(ge=0.7, le=1.0)],
) -> Response:
    """Gives pairs that are just similar enough for a threshold, as word diffs."""
    links = _count(service).links
    near = links.filter(links["similarity"] >= at - TOLERANCE).tail(MAX_PAIRS).reverse()
    pairs = []
    for left, right, similarity in near.iter_rows():
        texts = [_read_text(service, row_id) for row_id in (left, right)]
        pairs.append({"left": left, "right": right, "similarity": similarity, "parts": shorten(diff_words(*texts))})
    return render_page(request, "pairs.html", page="duplicates", pairs=pairs, at=at)


def _count(service: Service) -> ThresholdCounts:
    found: ThresholdCounts = service.reader.remember(("thresholds",), count_thresholds)
    return found


def _read_text(service: Service, example_id: str) -> str:
    rows = service.reader.read("pages/row_text", id=example_id)
    return f"{rows['prompt'][0] or ''}\n\n{rows['answer'][0] or ''}".strip() if rows.height else ""


def _open(service: Service, cluster: str) -> dict[str, Any] | None:
    if not cluster:
        return None
    with service.reader.open() as snapshot:
        if not snapshot.read("pages/cluster_texts", cluster=cluster, limit=1).height:
            return None
        return compare_members(snapshot, cluster)


def _draw_histogram(service: Service) -> dict[str, Any] | None:
    """Gives rows removed by hundredths of similarity, from the lowest that occurs to 1."""
    rows = dict(service.reader.read_cached("pages/similarity_bins").iter_rows())
    if not rows:
        return None
    steps = range(min(70, *rows), 101)
    return {
        "kind": "bar",
        "is_dense": True,
        "x": [f"{step / 100:.2f}" for step in steps],
        "x_title": "Jaccard similarity to what was kept",
        "y_title": "rows removed",
        "series": [{"name": "rows removed", "values": [rows.get(step, 0) for step in steps]}],
    }
