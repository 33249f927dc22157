"""The HTTP API under `/api/v1`."""

from curator.service.api.router import make_api_router

__all__ = ["make_api_router"]
