"""Reads the form that a page sends: URL-encoded text, as htmx posts it."""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from curator.service.errors import ServiceError

MAX_FIELDS = 500


async def read_form(request: Request) -> dict[str, str]:
    """Gives the fields of a posted form; of a repeated one the last.

    Raises:
        ServiceError: It is no such form (422).
    """
    try:
        text = (await request.body()).decode("utf-8")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError as error:
        raise ServiceError(422, f"the form cannot be read: {error}") from error


Form = Annotated[dict[str, str], Depends(read_form)]
