"""Puts the routers of the pages together."""

from typing import TYPE_CHECKING

from fastapi import APIRouter

from curator.service.pages import chat, duplicates, overview, releases, review, row, rows, sql

if TYPE_CHECKING:
    from curator.service.context import Service


def make_router(service: "Service") -> APIRouter:  # noqa: ARG001 - pages find the service on the application
    """Gives the router of all pages; none of them is part of the HTTP API."""
    router = APIRouter(include_in_schema=False)
    for page in (overview, sql, rows, row, review, duplicates, releases, chat):
        router.include_router(page.router)
    return router
