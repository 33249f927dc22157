"""How the service is: health for whoever watches it, figures for Prometheus."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from curator.service.access import Reader, ServiceOf
from curator.service.context import STATISTICS, describe_corpus
from schemas.errors import CuratorError, WarehouseError
from warehouse import read_owner

router = APIRouter(tags=["status"])


@router.get("/api/v1/health", responses={503: {"description": "the journal cannot be read"}})
def health(service: ServiceOf) -> Response:
    """Tells whether the service can do its work; open to everybody and says nothing about the corpus."""
    try:
        service.journal.check()
    except CuratorError:
        return JSONResponse({"status": "failed", "journal": False}, status_code=503)
    return JSONResponse({"status": "ok", "journal": True, "snapshot": bool(service.reader.version)})


@router.get("/api/v1/status")
def status(service: ServiceOf, client: Reader) -> dict[str, Any]:
    """Gives the project, its newest snapshot, who works on it, the journal and who asks."""
    return {
        "pack": service.pack.name,
        "snapshot": service.reader.version,
        "working_now": read_owner(service.project.lock),
        "journal": service.journal.read_last_sequence(),
        "has_model": service.models.is_configured,
        "client": client.name,
        "scopes": sorted(client.scopes),
    }


@router.get("/metrics", response_class=Response)
def metrics(service: ServiceOf, client: Reader) -> Response:  # noqa: ARG001 - the scope is checked
    """Gives figures in Prometheus' text format."""
    try:
        corpus: dict[str, int] = service.reader.remember(STATISTICS, describe_corpus)["funnel"]
    except WarehouseError:
        corpus = {}
    journal = {f"event_{kind}": rows for kind, rows in service.journal.count_events().items()}
    journal |= {f"decision_{kind}": rows for kind, rows in service.journal.count_decisions().items()}
    text = service.metrics.render(journal, corpus, int(service.reader.version or 0))
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
