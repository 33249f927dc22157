"""Figures of the corpus and the life of a row."""

from typing import Any

from fastapi import APIRouter

from curator.service.access import Reader, ServiceOf
from curator.statistics import read_statistics
from curator.why import read_life

router = APIRouter(tags=["corpus"])


@router.get("/stats")
def show_stats(service: ServiceOf, client: Reader) -> dict[str, Any]:  # noqa: ARG001 - the scope is checked
    """Gives the funnel, the mix against the target, sources, rejections and splits of the newest snapshot."""
    found: dict[str, Any] = service.reader.remember(
        ("statistics",), lambda snapshot: read_statistics(snapshot).as_dict()
    )
    return {"snapshot": service.reader.version, **found}


@router.get("/why/{subject}")
def show_why(subject: str, service: ServiceOf, client: Reader) -> dict[str, Any]:  # noqa: ARG001
    """Gives the life of an example or document: where from, each decision with its score, splits, releases."""
    with service.reader.open() as snapshot:
        return read_life(snapshot, subject)
