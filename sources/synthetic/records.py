"""Records of a JSON or TOML file as a table: one row an object, lists spread over columns."""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl


def read_records(path: Path, at: str = "") -> pl.DataFrame:
    """Reads the records of a file.

    Args:
        path: JSON, or TOML by its ending.
        at: Keys on the way to the records, joined by dots; `*` takes every key and puts it into the field `key`.

    Returns:
        One row a record. Plain texts become the field `name`; a table of texts becomes rows of `name` and `text`. A
        list of texts `steps` becomes `steps_1`, `steps_2`, ..., `steps_count` and `steps_numbered` (lines 1., 2.).

    Raises:
        ValueError: The file does not parse, or has no records there.
    """
    data = _parse(path.read_text(encoding="utf-8"), path.suffix == ".toml")
    rows = list(_walk(data, at.split(".") if at else [], {}))
    if not rows or any("name" not in row for row in rows):
        raise ValueError(f"no named records at {at or 'the top'!r}")
    return make_table(rows)


def make_table(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Gives a table of records; lists are spread over columns as `read_records` says."""
    return pl.DataFrame([_flatten(row) for row in rows], infer_schema_length=None)


# One file often holds several tables; it is parsed once.
@lru_cache(maxsize=4)
def _parse(text: str, is_toml: bool) -> Any:
    return tomllib.loads(text) if is_toml else json.loads(text)


def _walk(node: Any, keys: list[str], seen: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if keys and not isinstance(node, dict):
        raise ValueError(f"expected a table above {keys[0]!r}")
    if not keys:
        yield from _list_records(node, seen)
    elif keys[0] == "*":
        for key, inner in node.items():
            yield from _walk(inner, keys[1:], {"key": key})
    elif keys[0] in node:
        yield from _walk(node[keys[0]], keys[1:], seen)


def _list_records(node: Any, seen: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield from ({**seen, "name": name, "text": text} for name, text in node.items())
    elif isinstance(node, list):
        yield from ({**seen, **(item if isinstance(item, dict) else {"name": item})} for item in node)
    else:
        yield {**seen, "name": node}


def _flatten(row: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{key}_{inner}": item for inner, item in value.items()}
        elif isinstance(value, list):
            texts = [item for item in value if isinstance(item, str)]
            flat |= {f"{key}_{number}": item for number, item in enumerate(texts, 1)}
            flat[f"{key}_count"] = len(texts)
            flat[f"{key}_numbered"] = "\n".join(f"{number}. {item}" for number, item in enumerate(texts, 1))
        else:
            flat[key] = value
    return flat
