"""Routes of pages: what is refused is said on a page, not in JSON."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute

from curator.service.errors import find_status
from curator.service.pages.render import render_page
from schemas.errors import CuratorError


class PageRoute(APIRoute):
    """A route whose errors are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Gives the handler that answers errors with a page."""
        answer = super().get_route_handler()

        async def answer_page(request: Request) -> Response:
            try:
                return await answer(request)
            except CuratorError as error:
                return _refuse(request, find_status(error), error.message, error.hint)
            except RequestValidationError as error:
                fault = error.errors()[0]
                return _refuse(request, 422, f"{fault['loc'][-1]}: {fault['msg']}", "check the address")

        return answer_page


def _refuse(request: Request, status: int, message: str, hint: str) -> Response:
    return render_page(
        request, "refusal.html", status=status, page="", title="This cannot be shown", message=message, hint=hint
    )
