"""Puts the routers of the API together."""

from fastapi import APIRouter

from curator.service.api import corpus


def make_api_router() -> APIRouter:
    """Gives everything under `/api/v1`."""
    router = APIRouter(prefix="/api/v1")
    router.include_router(corpus.router)
    return router
