"""The pages that people look at: one file a page, rendered from `templates/`, all text escaped."""

from curator.service.pages.router import make_router

__all__ = ["make_router"]
