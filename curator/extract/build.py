"""Builds example rows, so that every extractor makes ids and spans the same way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.example import dump_messages, example_id
from schemas.identity import dump_canonical

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Extraction:
    """What an extractor made of a frame of documents.

    Attributes:
        examples: Frame with `EXAMPLE_COLUMNS`.
        verdicts: Frame with `VERDICT_COLUMNS`; `subject_id` is the id of a document that gave nothing (or from
            which something was left out) and `reason` says why.
    """

    examples: "pl.DataFrame"
    verdicts: "pl.DataFrame"


def build_example(
    document: Mapping[str, Any],
    *,
    extractor: str,
    span: Mapping[str, Any],
    messages: Sequence[Mapping[str, Any]],
    unit_keys: Sequence[str],
    rejected: Sequence[Mapping[str, Any]] | None = None,
    input_id: str | None = None,
    document_ids: Sequence[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    **tags: Any,
) -> dict[str, Any]:
    """Gives one row of an example frame.

    Args:
        document: Row of a document frame that the example is read from.
        extractor: Name of the extractor.
        span: Where in the document: `{"lines": [first, last]}` (1-based, inclusive), `{"seconds": [from, to]}`, ...
        messages: Turns; for a preference the last one is the chosen answer.
        unit_keys: What ties the example to a unit, such as `thread:t3_abc`.
        rejected: For a preference, the losing answer (a list with one assistant turn).
        input_id: What the extraction ran on; the document id unless a thread.
        document_ids: All documents that the example holds text of; the one document if absent.
        metadata: Anything worth keeping (flair, rule id, variables).
        **tags: `category`, `category_basis`, `role`, `language`, `source_score`, `url`, `author_hash`.
    """
    span_json = dump_canonical(span)
    messages_json = dump_messages([dict(m) for m in messages])
    rejected_json = None if rejected is None else dump_messages([dict(m) for m in rejected])
    row = {
        "id": example_id(document["id"], extractor, span_json, messages_json, rejected_json),
        "input_id": input_id or document["id"],
        "document_id": document["id"],
        "document_ids": sorted(document_ids or [document["id"]]),
        "extractor": extractor,
        "span": span_json,
        "messages": messages_json,
        "rejected": rejected_json,
        "unit_keys": sorted(unit_keys),
        "metadata": dump_canonical(dict(metadata or {})),
        "url": document.get("url"),
        "author_hash": document.get("author_hash"),
    }
    unknown = set(tags) - {"category", "category_basis", "role", "language", "source_score", "url", "author_hash"}
    if unknown:
        raise TypeError(f"build_example: unknown tags {sorted(unknown)}")
    return {**row, **tags}
