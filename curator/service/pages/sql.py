"""SQL: a query in the address, its result page by page, as a picture, or as a file.

The user's SQL runs in a process of its own (`sql_pool`), never here.
"""

import re
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from curator.service.access import Reader, ServiceOf
from curator.service.context import Service
from curator.service.errors import find_status
from curator.service.pages.picture import KINDS, draw_result, pick_columns
from curator.service.pages.render import render_page
from curator.service.pages.result_cells import describe_columns, show_rows
from curator.service.pages.route import PageRoute
from curator.service.sql_pool import LIMITS, SqlError, SqlOrder, SqlResult
from curator.sql.formats import render_result
from curator.sql.saved import describe_saved, list_saved
from schemas.errors import ConfigError, CuratorError
from warehouse import list_views

router = APIRouter(route_class=PageRoute)

PAGE_ROWS = 100
FIRST_TABLES = ("corpus", "examples", "documents", "verdicts", "rejected", "duplicates", "mix", "sources")
EXPLAIN = re.compile(r"\s*explain\b", re.IGNORECASE)
FIXED = re.compile(r"\s*(?:explain|describe|desc|show|summarize)\b", re.IGNORECASE)
"""Statements whose result is short and keeps its order."""
MEDIA = {"csv": "text/csv; charset=utf-8", "json": "application/json", "parquet": "application/vnd.apache.parquet"}


class View(BaseModel):
    """What the address of the page says.

    Attributes:
        q: The query.
        page: Page of the result, from 1.
        sort: Position of the column that sorts the whole result, from 0.
        down: Largest first.
        chart: Kind of picture.
        x: Column of the picture's horizontal axis.
        y: Column of its values.
        explain: Show the plan instead of the result.
    """

    model_config = ConfigDict(extra="ignore")

    q: str = ""
    page: int = Field(1, ge=1, le=10_000)
    sort: int | None = Field(None, ge=0, le=1_000)
    down: bool = False
    chart: str = ""
    x: str = ""
    y: str = ""
    explain: bool = False

    def as_query(self) -> dict[str, Any]:
        """Gives the values that stand in addresses; defaults are left out."""
        values = self.model_dump(exclude_defaults=True)
        return {key: "1" if value is True else value for key, value in values.items()}


@router.get("/sql")
def show_sql(request: Request, service: ServiceOf, client: Reader, view: Annotated[View, Query()]) -> Response:  # noqa: ARG001
    """Gives the editor and, where the address holds a query, its result or what is wrong with it."""
    if not service.reader.version:
        return render_page(request, "nothing.html", page="sql", title="SQL")
    shown, status = _answer(service, view) if view.q.strip() else ({"result": None, "fault": None}, 200)
    tables = _list_tables(service)
    return render_page(
        request,
        "sql.html",
        status=status,
        page="sql",
        view=view,
        address_values=view.as_query(),
        kinds=KINDS,
        saved=[(name, describe_saved(path), path.read_text(encoding="utf-8")) for name, path in _list_saved(service)],
        tables=tables,
        schema={name: [column for column, _ in columns] for name, _, columns in tables},
        **shown,
    )


@router.get("/sql/download")
def download_result(
    service: ServiceOf,
    client: Reader,  # noqa: ARG001
    q: str,
    form: str = "csv",
) -> Response:
    """Gives the result as a file, as many rows as a query may give."""
    if form not in MEDIA:
        raise ConfigError(f"format {form!r}: unknown", f"expected one of {', '.join(MEDIA)}")
    result = service.sql_pool.run(q)
    headers = {"Content-Disposition": f'attachment; filename="result.{form}"'}
    return Response(render_result(result.frame, form), media_type=MEDIA[form], headers=headers)


def _answer(service: Service, view: View) -> tuple[dict[str, Any], int]:
    try:
        return {"result": _run(service, view), "fault": None}, 200
    except CuratorError as error:
        return {"result": None, "fault": _describe_fault(view.q, error)}, find_status(error)


def _run(service: Service, view: View) -> dict[str, Any]:
    is_plan = view.explain or bool(EXPLAIN.match(view.q))
    if is_plan:
        found = service.sql_pool.run(view.q if EXPLAIN.match(view.q) else f"explain {view.q}")
        return {"plan": "\n".join(str(row[-1]) for row in found.frame.iter_rows()), "elapsed_s": found.elapsed_s}
    result = _read_page(service, view)
    shown: dict[str, Any] = {
        "plan": None,
        "columns": describe_columns(result.frame),
        "rows": show_rows(result.frame),
        "first": (view.page - 1) * PAGE_ROWS + 1,
        "has_more": result.is_truncated,
        "elapsed_s": result.elapsed_s,
        "is_fixed": bool(FIXED.match(view.q)),
        "chart": None,
    }
    if view.chart in KINDS and result.frame.width:
        x, y = pick_columns(result.frame, view.chart, view.x, view.y)
        whole = service.sql_pool.run(view.q)
        picture = draw_result(whole.frame, view.chart, x, y)
        shown["chart"] = {"picture": picture, "x": x, "y": y, "rows": whole.frame.height, "is_cut": whole.is_truncated}
    return shown


def _read_page(service: Service, view: View) -> SqlResult:
    if FIXED.match(view.q):
        return service.sql_pool.run(view.q)
    order = None if view.sort is None else SqlOrder(view.sort, view.down)
    limits = replace(LIMITS, max_rows=PAGE_ROWS)
    return service.sql_pool.run(view.q, limits, offset=(view.page - 1) * PAGE_ROWS, order=order)


def _describe_fault(sql: str, error: CuratorError) -> dict[str, Any]:
    """Gives the error with the place in the query that it means: where the editor underlines, and the line itself."""
    fault: dict[str, Any] = {"message": error.message.removeprefix("query: "), "hint": error.hint, "place": None}
    position = error.position if isinstance(error, SqlError) else None
    if position is None:
        return fault
    before = sql.encode()[:position].decode("utf-8", "ignore")
    start = before.rfind("\n") + 1
    column = len(before) - start
    return fault | {
        "place": len(before.encode("utf-16-le")) // 2,
        "line": before.count("\n") + 1,
        "column": column + 1,
        "text": sql[start:].split("\n", 1)[0],
        "caret": " " * column + "^",
    }


def _list_saved(service: Service) -> list[tuple[str, Any]]:
    return list(list_saved(service.project.root).items())


def _list_tables(service: Service) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Gives name, meaning and columns of each table and view."""
    meanings = list_views()
    columns: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in service.reader.read_cached("pages/columns").iter_rows():
        columns.setdefault(table, []).append((column, kind))
    # What people ask for most comes first.
    known = [name for name in dict.fromkeys((*FIRST_TABLES, *meanings)) if name in columns]
    return [(name, meanings.get(name, ""), columns[name]) for name in [*known, *sorted(set(columns) - set(known))]]
