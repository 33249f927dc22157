"""Storing decisions: each once under its id, the ones that cannot be carried out refused by name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import ValidationError

from curator.review.standing import name_revision_key, settle_decisions
from curator.text import check_structure
from schemas.decision import Decision
from schemas.example import EXAMPLE_COLUMNS, Message, dump_messages, example_id
from schemas.frames import make_frame
from schemas.identity import dump_canonical
from schemas.pack import Pack
from warehouse import Warehouse

if TYPE_CHECKING:
    import polars as pl

EXTRACTOR = "review"
"""Extractor of rows that a person has written."""
DECISION_COLUMNS = {
    "id": "text",
    "kind": "text",
    "subject_id": "text",
    "reviewer": "text",
    "decided_at": "timestamp",
    "reason": "text?",
    "category": "text?",
    "result_id": "text?",
}


@dataclass
class AppliedReport:
    """What became of some decisions.

    Attributes:
        stored: Decisions that were not there before.
        known: Decisions that were stored earlier under the same id.
        edited: Ids of the rows that edits made; `curate` screens, categorises and compares them like any other.
        refused: What could not be carried out: id of the decision (or place of the line), and why.
    """

    stored: int = 0
    known: int = 0
    edited: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Gives the report as JSON values."""
        return dict(vars(self))


def read_decisions(lines: Iterable[bytes], name: str) -> tuple[list[Decision], list[tuple[str, str]]]:
    """Reads decisions from JSONL (`schemas/json/decision.schema.json`).

    Args:
        lines: Lines of the file; empty ones are passed over.
        name: Name of the file, for the places of bad lines.

    Returns:
        The decisions, and for each bad line its place and what is wrong; the good ones beside it are kept.
    """
    decisions, refused = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            decisions.append(Decision.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            refused.append((f"{name}:{number}", f"{where}: {first['msg']}" if where else str(first["msg"])))
    return decisions, refused


def apply_decisions(warehouse: Warehouse, decisions: Sequence[Decision], pack: Pack) -> AppliedReport:
    """Stores decisions and brings into force those that stand; the same decisions again change nothing.

    Args:
        warehouse: The open database.
        decisions: In any order; their times decide which one is the last word.
        pack: Gives the categories and their roles.

    Returns:
        What was stored and what was refused; nothing is raised for a bad one, the others go through.
    """
    report = AppliedReport()
    known = set(warehouse.read("decision_ids")["id"].to_list())
    new = {decision.find_id(): decision for decision in decisions}
    report.known = len(known & set(new))
    # An edit may be about a row that another edit of the same lot makes, so they are taken in order of time.
    waiting = sorted((i for i in new if i not in known), key=lambda i: (new[i].decided_at, i))
    with warehouse.transaction():
        for decision_id in waiting:
            fault = _store(warehouse, decision_id, new[decision_id], pack, report)
            if fault:
                report.refused.append((decision_id, fault))
        settle_decisions(warehouse, pack)
    return report


def _store(warehouse: Warehouse, decision_id: str, decision: Decision, pack: Pack, report: AppliedReport) -> str | None:
    """Stores one decision, or gives why it cannot be carried out."""
    found = warehouse.read("find_subjects", prefix=decision.subject)
    if found.height != 1:
        what = "no example has this id" if not found.height else "more than one example starts so"
        return f"subject {decision.subject}: {what}"
    subject = found.row(0, named=True)
    if decision.category is not None and decision.category not in pack.category_names:
        return f"category {decision.category!r}: unknown, expected one of {', '.join(pack.category_names)}"
    result = None
    if decision.messages:
        child, fault = _revise(subject, decision.messages, decision.rejected)
        if fault:
            return fault
        result = child["id"][0]
        with warehouse.lend({"incoming": child}):
            warehouse.run("insert_new_examples")
        report.edited.append(result)
    row = {
        **decision.model_dump(include={"kind", "reviewer", "decided_at", "reason", "category"}),
        "id": decision_id,
        "subject_id": subject["id"],
        "result_id": result,
    }
    warehouse.append("decision", make_frame([row], DECISION_COLUMNS))
    report.stored += 1
    return None


def _revise(
    subject: dict[str, Any], messages: Sequence[Message], rejected: Sequence[Message] | None
) -> "tuple[pl.DataFrame, str | None]":
    """Gives the new version of a row, of the same origin and unit, or what is wrong with it."""
    text = _dump(messages)
    loser = subject["rejected"] if rejected is None else _dump(rejected)
    if rejected is not None and subject["rejected"] is None:
        return make_frame([], EXAMPLE_COLUMNS), f"{subject['id']}: an example has no losing answer"
    turns = orjson.loads(text)
    fault = check_structure(turns) or (check_structure([*turns[:-1], *orjson.loads(loser)]) if loser else None)
    if fault:
        return make_frame([], EXAMPLE_COLUMNS), f"messages: {fault}"
    # With its parent in it no chain of edits can come back to an id that it had before.
    span = dump_canonical({**orjson.loads(subject["span"]), "edit_of": subject["id"]})
    child = {
        **subject,
        "id": example_id(subject["document_id"], EXTRACTOR, span, text, loser),
        "extractor": EXTRACTOR,
        "span": span,
        "messages": text,
        "rejected": loser,
        "unit_keys": [*subject["unit_keys"], name_revision_key(subject["id"])],
    }
    return make_frame([child], EXAMPLE_COLUMNS), None


def _dump(messages: Sequence[Message]) -> str:
    return dump_messages([message.model_dump(exclude_none=True) for message in messages])
