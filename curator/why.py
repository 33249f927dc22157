"""The life of a row: where it came from, what every stage decided and why, and where it went."""

import json
from typing import Any

import orjson

from curator.text import flatten_messages
from schemas.errors import ConfigError
from warehouse import Warehouse

ID_LENGTH = 32


def read_life(snapshot: Warehouse, subject: str) -> dict[str, Any]:
    """Gives the life of an example or document.

    Args:
        snapshot: An open snapshot.
        subject: An id or its beginning (6 characters at least), a natural key or URL of a document, or a text, for
            which the most similar row is shown.

    Raises:
        ConfigError: Nothing is like it, or an abbreviation is ambiguous.
    """
    is_id = len(subject) >= 6 and set(subject) <= set("0123456789abcdef")
    if is_id:
        examples = snapshot.read("find_examples", prefix=subject).to_dicts()
        if len(examples) > 1:
            raise ConfigError(f"id {subject!r}: more than one example starts so", "give more characters")
        if examples:
            return _describe_example(snapshot, examples[0])
    documents = snapshot.read("find_documents", text=subject, prefix=subject if is_id else None).to_dicts()
    if len({row["id"] for row in documents if row["id"].startswith(subject)}) > 1 and is_id:
        raise ConfigError(f"id {subject!r}: more than one document starts so", "give more characters")
    if documents:
        return _describe_document(snapshot, documents[0])
    if is_id:
        raise ConfigError(f"id {subject!r}: no example or document has it", "curator sql 'select id from examples'")
    near = _find_nearest(snapshot, subject, "example_texts", 1)
    if not near:
        raise ConfigError(f"text {subject[:60]!r}: no row is like it", "curator sql searches with ilike '%words%'")
    return read_life(snapshot, near[0][0]) | {"overlap": near[0][1]}


def find_nearest_rejected(snapshot: Warehouse, text: str, top: int = 5) -> list[dict[str, Any]]:
    """Gives the lives of the rejected rows that are most like a text.

    Raises:
        ConfigError: No rejected row shares words with it.
    """
    near = _find_nearest(snapshot, text, "rejected_texts", top)
    if not near:
        raise ConfigError(f"text {text[:60]!r}: no rejected row is like it", "curator why TEXT looks among all rows")
    return [read_life(snapshot, row_id) | {"overlap": score} for row_id, score in near]


def _find_nearest(snapshot: Warehouse, text: str, statement: str, top: int) -> list[tuple[str, float]]:
    from curator.dedup import find_near

    rows = snapshot.read(statement)
    if not rows.height:
        return []
    full = flatten_messages(rows.select("messages"))["full"]
    found = find_near([text], full, 0.2, 2, measure="containment", top_k=top)
    best = found.sort("similarity", descending=True)
    return [(rows["id"][near], round(score, 4)) for near, score in best.select("near", "similarity").iter_rows()]


def _describe_example(snapshot: Warehouse, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "noun": "preference" if row["is_preference"] else "example",
        "messages": orjson.loads(row["messages"]),
        "origin": {
            "source": row["source"],
            "where": describe_place(row["natural_key"], row["span"]),
            "url": row["url"],
            "document": row["document_id"],
            "extractor": row["extractor"],
            "created_at": _text(row["created_at"]),
            "fetched_at": _text(row["fetched_at"]),
            "licence": row["licence"],
            "basis": row["basis"],
            "permission": row["permission"],
            "attribution": row["attribution"],
        },
        "category": {
            "name": row["category"],
            "basis": row["category_basis"],
            "confidence": row["confidence"],
            "evidence": row["evidence"],
            "role": row["role"],
        },
        "text": {"language": row["language"], "tokens": row["tokens"], "quality": row["quality"]},
        "verdicts": snapshot.read("life_verdicts", id=row["id"]).to_dicts(),
        "versions": _read_versions(snapshot, row["id"]),
        "cluster": snapshot.read("life_cluster", id=row["id"]).to_dicts(),
        "split": {"split": row["split"], "unit": row["unit_id"], "unit_size": row["unit_size"],
                  "keys": row["unit_keys"]},
        "releases": snapshot.read("life_releases", id=row["id"]).to_dicts(),
        "models": snapshot.read("life_models", id=row["id"]).to_dicts(),
        "metadata": json.loads(row["metadata"]),
    }  # fmt: skip


def _read_versions(snapshot: Warehouse, example_id: str) -> list[dict[str, Any]]:
    """Gives all versions of a row that a person has edited, the first one first; empty if nobody has."""
    versions = snapshot.read("life_versions", id=example_id).to_dicts()
    return [{**row, "messages": orjson.loads(row["messages"])} for row in versions] if len(versions) > 1 else []


def _describe_document(snapshot: Warehouse, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "noun": "document",
        "origin": {key: _text(value) for key, value in row.items() if key != "id"},
        "verdicts": snapshot.read("life_verdicts", id=row["id"]).to_dicts(),
        "examples": snapshot.read("document_examples", id=row["id"]).to_dicts(),
    }


def describe_place(natural_key: str, span: str) -> str:
    """Gives where a text stands: `notes/squat.md:12-30`, `dQw4w9WgXcQ 75-98 s`, `t3_abc`."""
    where = json.loads(span)
    if "lines" in where:
        first, last = where["lines"]
        return f"{natural_key}:{first}" if first == last else f"{natural_key}:{first}-{last}"
    if "seconds" in where:
        start, end = where["seconds"]
        return f"{natural_key} {start:g}-{end:g} s"
    return natural_key


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
