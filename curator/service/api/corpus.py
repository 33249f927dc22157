"""Figures of the corpus."""

from typing import Any

from fastapi import APIRouter

from curator.service.access import Reader, ServiceOf
from curator.statistics import read_statistics
from warehouse import Warehouse

router = APIRouter(tags=["corpus"])


@router.get("/stats")
def show_stats(service: ServiceOf, client: Reader) -> dict[str, Any]:  # noqa: ARG001 - the scope is checked
    """Gives the funnel, the mix against the target, sources, rejections and splits of the newest snapshot."""
    found: dict[str, Any] = service.reader.remember(("statistics",), describe_corpus)
    return found


def describe_corpus(snapshot: Warehouse) -> dict[str, Any]:
    """Gives the figures of a snapshot and its number."""
    return {"snapshot": snapshot.path.stem, **read_statistics(snapshot).as_dict()}
