"""The user's SQL over HTTP: results in pages, downloads, and what there is to ask."""

from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from curator.service.access import Reader, ServiceOf
from curator.service.api.examples import SQL_EXAMPLES
from curator.service.errors import describe_error
from curator.service.sql_pool import LIMITS, MAX_SQL_BYTES, SqlError, SqlOrder, SqlResult
from curator.sql.formats import render_result
from curator.sql.run import QueryLimits
from curator.sql.saved import describe_saved, list_saved
from warehouse import list_views

router = APIRouter(tags=["sql"])
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}


class Query(BaseModel):
    """One SELECT, and which page of its result is wanted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sql: str = Field(min_length=1, max_length=MAX_SQL_BYTES)
    offset: int = Field(0, ge=0, le=10_000_000, description="Rows to skip.")
    limit: int = Field(1_000, ge=1, le=1_000, description="Rows of the page.")
    order_by: int | None = Field(
        None, ge=0, le=1_000, description="Position of the column to sort all rows by, from 0."
    )
    descending: bool = False


FAULTS: dict[int | str, dict[str, object]] = {
    422: {"description": "refused, or it does not fit the tables; `error.position` is the byte it speaks of"},
    503: {"description": "over a limit of time, memory or size, or too many run at once"},
}


@router.post("/sql", responses=FAULTS)
def run_sql(
    query: Annotated[Query, Body(openapi_examples=SQL_EXAMPLES)],
    service: ServiceOf,
    client: Reader,  # noqa: ARG001 - the scope is checked
) -> Response:
    """Runs one SELECT on the newest snapshot, in a process of its own: 1,000 rows, 2 MB, 5 s at most."""
    try:
        found = _run(query, service)
    except SqlError as error:
        return _explain(error)
    return Response(render_page(found), media_type="application/json")


@router.post("/sql/download", responses=FAULTS)
def download_sql(
    query: Annotated[Query, Body(openapi_examples=SQL_EXAMPLES)],
    service: ServiceOf,
    client: Reader,  # noqa: ARG001 - the scope is checked
    format: Literal["csv", "json", "parquet"] = "csv",  # noqa: A002 - the name in the address
) -> Response:
    """Gives the same page as a file."""
    try:
        found = _run(query, service)
    except SqlError as error:
        return _explain(error)
    headers = {"Content-Disposition": f'attachment; filename="result.{format}"'}
    return Response(render_result(found.frame, format), media_type=MEDIA_TYPES[format], headers=headers)


@router.get("/sql/schema")
def show_schema(service: ServiceOf, client: Reader) -> dict[str, dict[str, object]]:  # noqa: ARG001
    """Gives each table and view with what one row of it is, and its columns and their types in order."""
    columns = service.reader.read_cached("snapshot_columns")
    grains = list_views()
    tables: dict[str, dict[str, object]] = {}
    for table, names, kinds in columns.select("table_name", "names", "types").iter_rows():
        found = [{"name": name, "type": kind} for name, kind in zip(names, kinds, strict=True)]
        tables[table] = {"row": grains.get(table, ""), "columns": found}
    return tables


@router.get("/sql/saved")
def show_saved(service: ServiceOf, client: Reader) -> list[dict[str, str]]:  # noqa: ARG001
    """Gives the saved queries: curator's and those in the project's `queries/`."""
    return [
        {"name": name, "title": describe_saved(path), "sql": path.read_text(encoding="utf-8")}
        for name, path in list_saved(service.project.root).items()
    ]


def render_page(found: SqlResult) -> bytes:
    """Gives the JSON of a result: columns with types, rows as objects, whether there are more."""
    schema = [{"name": name, "type": str(kind)} for name, kind in found.frame.schema.items()]
    return orjson.dumps(
        {
            "columns": schema,
            "rows": orjson.Fragment(render_result(found.frame, "json")),
            "is_truncated": found.is_truncated,
            "elapsed_s": found.elapsed_s,
            "snapshot": found.snapshot,
        }
    )


def _run(query: Query, service: ServiceOf) -> SqlResult:
    order = None if query.order_by is None else SqlOrder(query.order_by, query.descending)
    limits = QueryLimits(**{**vars(LIMITS), "max_rows": query.limit})
    return service.sql_pool.run(query.sql, limits, offset=query.offset, order=order)


def _explain(error: SqlError) -> JSONResponse:
    body = describe_error(error)
    return JSONResponse({"error": {**body["error"], "position": error.position}}, status_code=422)
