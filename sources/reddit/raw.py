"""The raw table: what every door makes of Reddit's JSON before it becomes documents.

All columns are text, as JSON scalars are written (`true`, `5`, `1365199493.0`): Reddit's own types changed over the
years (`edited` is False, a time, or True), and one table for all doors means one place that shapes documents.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

RAW_COLUMNS = (
    "_meta",
    "author",
    "body",
    "created_utc",
    "distinguished",
    "edited",
    "id",
    "is_self",
    "is_submitter",
    "link_flair_text",
    "link_id",
    "num_comments",
    "parent_id",
    "removed_by_category",
    "retrieved_on",
    "score",
    "selftext",
    "stickied",
    "subreddit",
    "title",
    "url",
)


def parse_lines(data: bytes) -> "pl.DataFrame | None":
    r"""Parses whole lines of JSON column-wise, or gives None where a line needs a closer look.

    The reader stops at a bad line, and turns a lone surrogate (`\ud800` alone) into NUL instead of refusing it.
    """
    import polars as pl

    schema = dict.fromkeys(RAW_COLUMNS, pl.String())
    try:
        frame = pl.read_ndjson(data, schema=schema)
    except pl.exceptions.PolarsError:
        return None
    has_nul = frame.select(
        pl.any_horizontal(pl.col("title", "selftext", "body").str.contains("\x00", literal=True).any())
    )
    return None if has_nul.item() else frame


def make_raw_frame(records: Iterable[Mapping[str, Any]]) -> "pl.DataFrame":
    """Builds the raw table from parsed objects, such as API answers."""
    import polars as pl

    rows = list(records)
    data = {name: [_write_scalar(row.get(name)) for row in rows] for name in RAW_COLUMNS}
    return pl.DataFrame(data, schema=dict.fromkeys(RAW_COLUMNS, pl.String()))


def _write_scalar(value: Any) -> str | None:
    import orjson

    if value is None:
        return None
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return orjson.dumps(value).decode()
