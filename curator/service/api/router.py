"""Puts the routers of the API together."""

from fastapi import APIRouter

from curator.service.api import coach, corpus, events, releases, review, search, sql, status


def make_api_router() -> APIRouter:
    """Gives everything under `/api/v1`, and `/metrics`."""
    router = APIRouter()
    router.include_router(status.router)
    for part in (corpus, search, releases, sql, review, events, coach):
        router.include_router(part.router, prefix="/api/v1")
    return router
