"""Rows: search by words or by the nearest text, with filters."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from curator.service.access import Reader, ServiceOf
from curator.service.context import Service
from curator.service.pages.render import render_page
from curator.service.pages.route import PageRoute
from curator.service.search import Filters, search_nearest, search_words

router = APIRouter(route_class=PageRoute)

PAGE_ROWS = 25
NEAREST_ROWS = 25
FIELDS = ("source", "category", "split", "licence", "language", "verdict")
PREVIEW = 400
WORD = re.compile(r'"([^"]+)"|(\S+)')


class Wanted(BaseModel):
    """What the address of the page says.

    Attributes:
        q: Words, or a text.
        by: `words` or `nearest`.
        source: Filter, as all that follow; empty is any.
        category: Or `uncategorised`.
        split: Or `none`.
        licence: Of the document.
        language: ISO 639-1.
        verdict: `kept`, `rejected`, or a reason.
        page: From 1.
    """

    model_config = ConfigDict(extra="ignore")

    q: str = Field("", max_length=20_000)
    by: str = "words"
    source: str = ""
    category: str = ""
    split: str = ""
    licence: str = ""
    language: str = ""
    verdict: str = ""
    page: int = Field(1, ge=1, le=10_000)


@router.get("/rows")
def show_rows(request: Request, service: ServiceOf, client: Reader, wanted: Annotated[Wanted, Query()]) -> Response:  # noqa: ARG001
    """Gives the rows that were looked for."""
    if not service.reader.version:
        return render_page(request, "nothing.html", page="rows", title="Rows")
    rows, has_more = _find(service, wanted)
    return render_page(
        request,
        "rows.html",
        page="rows",
        wanted=wanted,
        address_values=wanted.model_dump(exclude_defaults=True),
        fields=_list_values(service),
        rows=[_show(row, wanted) for row in rows],
        first=(wanted.page - 1) * PAGE_ROWS + 1,
        has_more=has_more,
    )


def _find(service: Service, wanted: Wanted) -> tuple[list[dict[str, Any]], bool]:
    if wanted.by == "nearest" and wanted.q.strip():
        return search_nearest(service.reader, wanted.q, NEAREST_ROWS), False
    values = {name: getattr(wanted, name) or None for name in FIELDS}
    return search_words(service.reader, wanted.q, Filters(**values), PAGE_ROWS, (wanted.page - 1) * PAGE_ROWS)


def _list_values(service: Service) -> dict[str, list[tuple[str, int]]]:
    """Gives the values of each filter with the number of rows that have them."""
    values: dict[str, list[tuple[str, int]]] = {name: [] for name in FIELDS}
    for field, value, rows in service.reader.read_cached("pages/filters").iter_rows():
        values[field].append((value, rows))
    return values


def _show(row: dict[str, Any], wanted: Wanted) -> dict[str, Any]:
    turns = [turn for turn in row["messages"] if turn["role"] != "system"]
    words = [quoted or single for quoted, single in WORD.findall(wanted.q)] if wanted.by == "words" else []
    return {
        **row,
        "ask": mark_words(_clip(turns[0]["content"], words), words) if turns else [],
        "reply": mark_words(_clip(turns[-1]["content"], words), words) if len(turns) > 1 else [],
    }


def _clip(text: str, words: list[str]) -> str:
    """Gives the part of a text around the first word that was looked for, in one line."""
    flat = " ".join(text.split())
    places = [place for word in words if (place := flat.lower().find(word.lower())) > 0]
    if not places or min(places) <= PREVIEW // 2:
        return flat[:PREVIEW]
    start = flat.find(" ", max(0, min(places) - 80)) + 1
    return "… " + flat[start : start + PREVIEW]


def mark_words(text: str, words: list[str]) -> list[tuple[bool, str]]:
    """Gives a text in parts, and whether each is one of the words."""
    if not words:
        return [(False, text)]
    pattern = re.compile(
        "(" + "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)) + ")", re.IGNORECASE
    )
    return [(place % 2 == 1, part) for place, part in enumerate(pattern.split(text)) if part]
