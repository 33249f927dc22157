"""Reads question-answer pairs from XML of the MedQuAD kind (`QAPair` with `Question` and `Answer`).

Format: https://github.com/abachaa/MedQuAD (CC BY 4.0).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sources.dataset.rows import NoRowsError, Row
from sources.protocol import Rejection

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_XML_BYTES = 20 * 2**20

_FORBIDDEN = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def read_medquad(path: Path) -> Iterator[Row | Rejection]:
    """Yields a row a pair, with columns id, question, answer, topic, kind, and `repeats` where a question comes again.

    A document type or entities are refused: a few nested ones grow to gigabytes.

    Raises:
        NoRowsError: The file is not XML, too large, or holds no pairs.
    """
    root = _parse(path)
    pairs = list(root.iter("QAPair"))
    if not pairs:
        raise NoRowsError("not_rows", f"XML <{root.tag}> without QAPair elements, expected MedQuAD's")
    topic = _text(root.find("Focus"))
    asked: set[str] = set()
    extra = {"url": root.get("url") or "", "attribution": root.get("source") or ""}
    for number, pair in enumerate(pairs, 1):
        question, answer = pair.find("Question"), pair.find("Answer")
        key = (question.get("qid") if question is not None else None) or str(number)
        kind = question.get("qtype") if question is not None else None
        cells = {"id": key, "question": _text(question), "answer": _text(answer), "topic": topic, "kind": kind}
        # Sections below the one that answers were filed under its question, too.
        if cells["question"] in asked:
            cells["repeats"] = "yes"
        asked.add(cells["question"] or "")
        yield Row(number, None, cells, extra)


def _parse(path: Path) -> "Element":
    import xml.etree.ElementTree as ET

    if path.stat().st_size > MAX_XML_BYTES:
        raise NoRowsError("too_large", f"over {MAX_XML_BYTES // 2**20} MB of XML; split it", is_fault=True)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NoRowsError("invalid_utf8", f"byte {error.start} is not UTF-8", is_fault=True) from error
    if _FORBIDDEN.search(text):
        raise NoRowsError("xml_entities", "has a document type or entities, which are not read", is_fault=True)
    try:
        return ET.fromstring(text)  # noqa: S314  # no entities can be in it, see above
    except (ET.ParseError, ValueError) as error:
        raise NoRowsError("broken_xml", str(error), is_fault=True) from error


def _text(element: "Element | None") -> str:
    return "" if element is None else "".join(element.itertext()).strip()
