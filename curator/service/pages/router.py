"""Puts the routers of the pages together."""

from typing import TYPE_CHECKING

from fastapi import APIRouter

from curator.service.pages.chat import router as chat
from curator.service.pages.duplicates import router as duplicates
from curator.service.pages.feedback import router as feedback
from curator.service.pages.overview import router as overview
from curator.service.pages.releases import router as releases
from curator.service.pages.review import router as review
from curator.service.pages.row import router as row
from curator.service.pages.rows import router as rows
from curator.service.pages.sql import router as sql

if TYPE_CHECKING:
    from curator.service.context import Service


def make_router(service: "Service") -> APIRouter:  # noqa: ARG001 - pages find the service on the application
    """Gives the router of all pages; none of them is part of the HTTP API."""
    router = APIRouter(include_in_schema=False)
    for page in (overview, sql, rows, row, review, duplicates, releases, chat, feedback):
        router.include_router(page)
    return router
