"""Renders templates: one environment with autoescape, the filters that write figures, and what every page needs."""

import functools
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from curator.service.context import Service
from warehouse.statements import load_statement

SERVICE = Path(__file__).parents[1]
PAGES = (
    ("overview", "/", "Overview", "o"),
    ("sql", "/sql", "SQL", "s"),
    ("rows", "/rows", "Rows", "r"),
    ("review", "/review", "Review", "v"),
    ("duplicates", "/duplicates", "Duplicates", "d"),
    ("releases", "/releases", "Releases", "l"),
    ("chat", "/chat", "Chat", "c"),
    ("feedback", "/feedback", "Feedback", "f"),
)
"""Name, address, title, and the key that follows g."""
RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})


def render_page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Gives a page; htmx takes from it the part that it wants (`hx-select`).

    Args:
        request: Whose session and nonce the page carries.
        template: File in `templates/`.
        status: The HTTP status.
        values: What the template shows.
    """
    service: Service = request.app.state.service
    frame = {
        "nonce": request.state.nonce,
        "csrf": request.state.csrf,
        "project": service.project.root.name,
        "pack": service.pack.title,
        "snapshot": service.reader.version,
        "pages": PAGES,
        "address": request.url.path,
    }
    text = make_environment().get_template(template).render({**frame, **values})
    return HTMLResponse(text, status_code=status)


@functools.cache
def make_environment() -> Environment:
    """Gives the Jinja environment."""
    environment = Environment(
        loader=FileSystemLoader(SERVICE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": write_number,
        "pct": write_pct,
        "moment": write_moment,
        "day": lambda value: write_moment(value, "%Y-%m-%d"),
        "short": lambda value: str(value)[:12],
        "words": lambda value: str(value).replace("_", " ").replace("flag:", ""),
        "script_json": write_script_json,
    }
    environment.globals |= {"asset": find_asset, "sql_address": make_sql_address, "statement_address": name_statement,
                            "query": write_query, "direction": find_direction}  # fmt: skip
    return environment


def write_number(value: float | None, digits: int = 0) -> str:
    """Gives a figure with thousands separated; nothing for None."""
    return "" if value is None else f"{value:,.{digits}f}"


def write_pct(share: float | None, digits: int = 1) -> str:
    """Gives a share (0-1) as a percentage; nothing for None."""
    return "" if share is None else f"{share * 100:.{digits}f} %"


def write_moment(value: datetime | None, form: str = "%Y-%m-%d %H:%M") -> str:
    """Gives a moment in UTC; nothing for None."""
    if value is None:
        return ""
    return (value.astimezone(UTC) if value.tzinfo else value).strftime(form)


def write_script_json(value: Any) -> Markup:
    """Gives JSON for a `<script type="application/json">`: no sign in it can end the element or open a comment."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 - all signs that mean something in HTML were just replaced


def write_query(values: Mapping[str, Any], **changes: Any) -> str:
    """Gives the query part of an address: the values with changes, without empty ones."""
    merged = {**values, **changes}
    return urlencode({key: value for key, value in merged.items() if value not in (None, "")})


def make_sql_address(sql: str) -> str:
    """Gives the address of the SQL page with a query in it."""
    return f"/sql?{urlencode({'q': sql})}"


@functools.cache
def name_statement(name: str) -> str:
    """Gives the address of the SQL page with the statement that a page reads, its comment taken off."""
    lines = load_statement(name).strip().splitlines()
    return make_sql_address("\n".join(line for line in lines if not line.startswith("--")))


@functools.cache
def find_asset(name: str) -> str:
    """Gives the address of a built file, with a mark that changes when the file does."""
    digest = hashlib.blake2b((SERVICE / "static" / name).read_bytes(), digest_size=6).hexdigest()
    return f"/static/{name}?v={digest}"


def find_direction(language: str | None) -> str:
    """Gives the writing direction of a language; `auto` lets the text itself decide."""
    return "rtl" if (language or "").split("-")[0] in RIGHT_TO_LEFT else "auto"
