"""Figures of the corpus."""

from typing import Any

from fastapi import APIRouter

from curator.service.access import Reader, ServiceOf
from curator.service.context import STATISTICS, describe_corpus

router = APIRouter(tags=["corpus"])


@router.get("/stats")
def show_stats(service: ServiceOf, client: Reader) -> dict[str, Any]:  # noqa: ARG001 - the scope is checked
    """Gives the funnel, the mix against the target, sources, rejections and splits of the newest snapshot."""
    found: dict[str, Any] = service.reader.remember(STATISTICS, describe_corpus)
    return found
