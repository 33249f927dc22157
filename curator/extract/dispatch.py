"""Sends each kind of document to its extractor."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from curator.extract.build import Extraction
from curator.extract.domain import mark_off_domain
from curator.extract.event import recommendation_input_id
from schemas.frames import example_frame, verdict_frame
from schemas.identity import make_id
from schemas.pack import Pack

if TYPE_CHECKING:
    import polars as pl

EXTRACTORS = {
    "page": ("page", "extract_pages"),
    "record": ("record", "extract_records"),
    "conversation": ("conversation", "extract_conversations"),
    "transcript": ("transcript", "extract_transcripts"),
    "thread": ("thread", "extract_threads"),
    "event": ("event", "extract_events"),
}
THREAD_KINDS = ("post", "comment")


def list_inputs(documents: "pl.DataFrame", threads: "pl.DataFrame", events: "pl.DataFrame") -> "pl.DataFrame":
    """Gives everything that extraction may read by itself.

    Args:
        documents: Current documents that stand alone: `input_id`, `kind`.
        threads: Current threads: `thread`, `document_ids` in order of id.
        events: Current feedback by prompt: `prompt_key`, `document_ids` in order of id.

    Returns:
        `input_id`, `kind` (thread for threads, event for feedback), `document_ids`. The id of what is read together
        changes with its documents, so a thread that has grown, or a late reply, is a new input and is extracted again.
    """
    import polars as pl

    alone = documents.select("input_id", "kind", pl.concat_list("input_id").alias("document_ids"))
    together = [
        pl.DataFrame(
            {
                "input_id": [name(members) for members in groups["document_ids"]],
                "kind": [kind] * groups.height,
                "document_ids": groups["document_ids"],
            },
            schema={"input_id": pl.String, "kind": pl.String, "document_ids": pl.List(pl.String)},
        )
        for kind, groups, name in (
            ("thread", threads, lambda members: make_id("thread", *members)),
            ("event", events, recommendation_input_id),
        )
    ]
    return pl.concat([alone, *together]).sort("input_id")


def extract_documents(documents: "pl.DataFrame", pack: Pack) -> Extraction:
    """Makes examples of a frame of documents of any kinds; posts and comments come as whole threads.

    Kinds without an extractor give nothing and a verdict `no_extractor`.
    """
    import polars as pl

    parts = [Extraction(example_frame([]), verdict_frame([]))]
    kinds = pl.when(pl.col("kind").is_in(THREAD_KINDS)).then(pl.lit("thread")).otherwise("kind")
    for (kind,), rows in sorted(documents.group_by(kinds.alias("group"))):
        parts.append(_find_extractor(str(kind))(rows.sort("id"), pack))
    examples = mark_off_domain(pl.concat([part.examples for part in parts]), pack)
    return Extraction(
        examples.sort("id"),
        pl.concat([part.verdicts for part in parts]).sort("subject_id", "reason"),
    )


def _find_extractor(kind: str) -> "Callable[[pl.DataFrame, Pack], Extraction]":
    module, function = EXTRACTORS[kind]
    extractor: Callable[[pl.DataFrame, Pack], Extraction] = getattr(
        import_module(f"curator.extract.{module}"), function
    )
    return extractor
