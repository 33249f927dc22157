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
        at: Keys on the way to the records, joined by dots; `*` takes every entry of a table or list and puts its key
            or name into the field `key`.

    Returns:
        One row a record. Plain texts become the field `name`; a table of texts becomes rows of `name` and `text`; a
        record without a name is named by its first field. A list of texts `steps` becomes `steps_1`, `steps_2`, ...,
        `steps_count` and `steps_joined` (by commas); an inner table `a` becomes `a_<field>`.

    Raises:
        ValueError: The file does not parse, or has no records there.
    """
    data = _parse(path.read_text(encoding="utf-8"), path.suffix == ".toml")
    rows = [_name(record) for record in _walk(data, at.split(".") if at else [], {})]
    if not rows:
        raise ValueError(f"no records at {at or 'the top'!r}")
    return make_table(rows)


def make_table(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Gives a table of records; lists are spread over columns as `read_records` says."""
    return pl.DataFrame([_flatten(row) for row in rows], infer_schema_length=None)


# One file often holds several tables; it is parsed once.
@lru_cache(maxsize=4)
def _parse(text: str, is_toml: bool) -> Any:
    return tomllib.loads(text) if is_toml else json.loads(text)


def _walk(node: Any, keys: list[str], seen: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if not keys:
        yield from _list_records(node, seen)
    elif keys[0] == "*":
        for key, inner in _entries(node):
            yield from _walk(inner, keys[1:], {"key": key})
    elif isinstance(node, dict):
        if keys[0] in node:
            yield from _walk(node[keys[0]], keys[1:], seen)
    else:
        raise ValueError(f"expected a table above {keys[0]!r}")


def _entries(node: Any) -> list[tuple[str, Any]]:
    if isinstance(node, dict):
        return list(node.items())
    if isinstance(node, list) and all(isinstance(item, dict) and "name" in item for item in node):
        return [(item["name"], item) for item in node]
    raise ValueError("expected a table or a list of named records where `at` has *")


def _list_records(node: Any, seen: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield from ({**seen, "name": name, "text": text} for name, text in node.items())
    elif isinstance(node, list):
        yield from ({**seen, **(item if isinstance(item, dict) else {"name": item})} for item in node)
    else:
        yield {**seen, "name": node}


def _name(record: dict[str, Any]) -> dict[str, Any]:
    if "name" in record:
        return record
    first = next((key for key in record if key != "key"), None)
    if first is None:
        raise ValueError("a record is empty")
    return {**record, "name": record[first]}


def _flatten(row: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{key}_{inner}": item for inner, item in _flatten(value).items()}
        elif isinstance(value, list):
            texts = [item for item in value if isinstance(item, str)]
            flat |= {f"{key}_{number}": item for number, item in enumerate(texts, 1)}
            flat |= {f"{key}_count": len(value), f"{key}_joined": ", ".join(texts)}
        else:
            flat[key] = value
    return flat
