"""What the optional LLM step is asked about: passages of transcripts, sections of books and other documents."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from curator.extract.llm import Passage
from curator.extract.sections import count_words, parse_sections, slugify
from curator.extract.transcript_passages import split_passages

if TYPE_CHECKING:
    import polars as pl

BOOK_SOURCE = "documents"
"""Pages of knowledge bases answer their own headings; books are written to be read from beginning to end."""
MIN_SECTION_WORDS = 60
MAX_SECTION_WORDS = 400


def list_passages(documents: "pl.DataFrame") -> list[Passage]:
    """Gives the passages of a frame of documents, in the order of their ids.

    Args:
        documents: Transcripts, and pages of the source `documents`; other rows give nothing.
    """
    passages: list[Passage] = []
    for document in documents.sort("id").iter_rows(named=True):
        if document["kind"] == "transcript":
            passages += split_passages(document)
        elif document["kind"] == "page" and document["source"] == BOOK_SOURCE:
            passages += _split_book(document)
    return passages


def _split_book(document: Mapping[str, Any]) -> Iterator[Passage]:
    """Cuts each section at its paragraphs into pieces of at most 400 words; pieces under 60 words are left out."""
    offset = int(json.loads(document["metadata"]).get("line_offset", 0))
    for section in parse_sections(document["content"]).walk():
        key = f"section:{document['source']}:{document['natural_key']}#{'/'.join(map(slugify, section.path)) or 'top'}"
        piece: list[Any] = []
        for block in [*section.blocks, None]:
            words = sum(count_words(part.text) for part in piece)
            if piece and (block is None or words + count_words(block.text) > MAX_SECTION_WORDS):
                if words >= MIN_SECTION_WORDS:
                    yield Passage(
                        document=document,
                        text="\n\n".join(part.text for part in piece if part.text),
                        span={"lines": [piece[0].lines[0] + offset + 1, piece[-1].lines[1] + offset]},
                        unit_keys=(key,),
                        title=section.heading or None,
                    )
                piece = []
            if block is not None:
                piece.append(block)
