"""Which decisions stand: of those about one row the last, for rows that are there today."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from curator.categorise.stage import DEFAULT_ROLE
from schemas.frames import verdict_frame
from schemas.pack import Pack
from warehouse import Warehouse

if TYPE_CHECKING:
    import polars as pl

FINGERPRINT = "person"
"""Reviews are current under any settings, so they carry no fingerprint of code."""

Row = Mapping[str, Any]


@dataclass
class _Standing:
    """What is in force.

    Attributes:
        verdicts: Rows of `VERDICT_COLUMNS`.
        revisions: Rows of the table `revision`.
        labels: By example, the relabel that holds for it.
    """

    verdicts: list[dict[str, Any]] = field(default_factory=list)
    revisions: list[tuple[str, str, str]] = field(default_factory=list)
    labels: dict[str, Row] = field(default_factory=dict)


def settle_decisions(warehouse: Warehouse, pack: Pack) -> bool:
    """Works out which decisions stand and brings them into force.

    A decision is about a row of the same id or, in a newer version of the document, of the same text. Where another
    extractor or pack words a row anew, a rejection, an edit and a relabel hold for what stands in its place; an
    acceptance does not, because nobody has read that text. An edit stands as long as the row that it was made of is
    there (and is undone by accepting that row).

    Returns:
        Whether anything is in force that was not before, or the other way round.
    """
    decisions = warehouse.read("decisions").to_dicts()
    present = {row["subject_id"]: row for row in warehouse.read("decided_rows").to_dicts()} if decisions else {}
    standing = _follow(decisions, present)
    frames = _make_frames(warehouse, standing, pack)
    if all(warehouse.read(name).sort(frame.columns).equals(frame) for name, frame in frames.items()):
        return False
    for statement in ("clear_review_verdicts", "clear_revisions", "clear_review_labels"):
        warehouse.run(statement)
    warehouse.append("verdict", frames["review_verdicts"], {"stage": "review", "fingerprint": FINGERPRINT})
    warehouse.append("revision", frames["revisions"])
    warehouse.append("review_label", frames["review_labels"])
    return True


def name_revision_key(subject_id: str) -> str:
    """Gives the unit key that ties an edited row to the row that was made of it."""
    return f"edit:{subject_id}"


def _follow(decisions: Iterable[Row], present: Mapping[str, Row]) -> _Standing:
    """Follows every row that is there through its last decision, and on through the rows that edits made of it."""
    fates: dict[str, Row] = {}
    labels: dict[str, Row] = {}
    made = {row["result_id"] for row in decisions if row["result_id"]}
    roots = []
    for row in decisions:
        subject = row["subject_id"] if row["subject_id"] in made else _find_present(row, present)
        if subject is None:
            continue
        (labels if row["kind"] == "relabel" else fates)[subject] = row
        if subject not in made:
            roots.append(subject)
    standing = _Standing()
    for root in dict.fromkeys(roots):
        _follow_row(root, fates, labels, standing)
    return standing


def _find_present(row: Row, present: Mapping[str, Row]) -> str | None:
    found = present.get(row["subject_id"])
    if found is None:
        return None
    exact: str | None = found["exact_id"]
    place: str | None = found["place_id"]
    return exact if row["kind"] == "accept" else exact or place


def _follow_row(subject: str, fates: Mapping[str, Row], labels: Mapping[str, Row], standing: _Standing) -> None:
    """Takes a row and its later versions into force; a version keeps the label of the one before it."""
    inherited: Row | None = None
    current: str | None = subject
    while current is not None:
        label = labels.get(current, inherited)
        if label is not None and label["category"] is not None:
            standing.labels[current] = label
        if current in labels:
            standing.verdicts.append(_describe(current, labels[current]))
        fate = fates.get(current)
        following = None
        if fate is not None:
            standing.verdicts.append(_describe(current, fate))
            following = fate["result_id"]
        if fate is not None and following is not None:
            standing.revisions.append((current, following, name_revision_key(fate["subject_id"])))
            standing.verdicts.append(
                {"subject_id": following, "is_kept": True, "reason": "edit_of", "partner": current,
                 "detail": _sign(fate)}
            )  # fmt: skip
        inherited, current = label, following


def _describe(subject: str, row: Row) -> dict[str, Any]:
    """Gives the verdict of a decision."""
    words = {"accept": "accepted", "edit": "edited", "relabel": "relabelled"}
    detail = _sign(row)
    if row["kind"] == "relabel":
        detail = f"{row['category'] or 'no category'} {detail}"
    return {
        "subject_id": subject,
        "is_kept": row["kind"] in ("accept", "relabel"),
        "reason": words.get(row["kind"]) or row["reason"] or "rejected_by_reviewer",
        "partner": row["result_id"],
        "detail": detail,
    }


def _sign(row: Row) -> str:
    return f"by {row['reviewer']} on {row['decided_at']:%Y-%m-%d}"


def _make_frames(warehouse: Warehouse, standing: _Standing, pack: Pack) -> "dict[str, pl.DataFrame]":
    import polars as pl

    text = pl.String
    wanted = pl.DataFrame({"id": list(standing.labels)}, schema={"id": text})
    with warehouse.lend({"wanted": wanted}):
        roles = dict(warehouse.read("stated_roles").iter_rows())
    labels = [
        (example, row["category"], roles.get(example) or pack.category_roles.get(row["category"], DEFAULT_ROLE),
         _sign(row))
        for example, row in standing.labels.items()
        if row["category"] in pack.category_names
    ]  # fmt: skip
    revisions = {"subject_id": text, "result_id": text, "unit_key": text}
    label_columns = {"example_id": text, "category": text, "role": text, "evidence": text}
    frames = {
        "review_verdicts": verdict_frame(standing.verdicts),
        "revisions": pl.DataFrame(standing.revisions, revisions, orient="row"),
        "review_labels": pl.DataFrame(labels, label_columns, orient="row"),
    }
    return {name: frame.sort(frame.columns) for name, frame in frames.items()}
