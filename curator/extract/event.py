"""From feedback to examples: what was liked or worked is learnt, what was corrected is learnt as corrected.

All recommendations for one prompt are looked at together, so that two answers to it can become a preference. Nothing
is learnt from a recommendation that was followed and ended badly: it goes to a reviewer.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from curator.extract.build import Extraction, build_example
from schemas.frames import example_frame, verdict_frame
from schemas.identity import make_id
from schemas.pack import Pack

if TYPE_CHECKING:
    import polars as pl

EXTRACTOR = "event"
MIN_RATING = 4
"""From this rating on an answer is a candidate for training."""
MIN_GAP = 0.5
"""Two answers this far apart on the scale of 0-1 are a preference pair; a rating of 5 and one of 3 are."""
MIN_CHOSEN = 0.75
BAD_OUTCOMES = ("too_hard", "injury")
_OUTCOME_SCORE = {"achieved": 1.0, "held": 0.6, "too_hard": 0.1, "injury": 0.0}


@dataclass
class _Shown:
    """A recommendation with all that was said of it; of several replies of a kind the latest counts.

    Attributes:
        document: The row of the recommendation.
        event: Its content.
        documents: Ids of all documents that took part.
        rating: 1-5.
        is_followed: Whether the user did it.
        outcome: What came of it.
        correction: What should have been said.
        correction_document: The row of that event.
    """

    document: Mapping[str, Any]
    event: Mapping[str, Any]
    documents: list[str] = field(default_factory=list)
    rating: int | None = None
    is_followed: bool | None = None
    outcome: str | None = None
    correction: str | None = None
    correction_document: Mapping[str, Any] | None = None

    @property
    def is_bad(self) -> bool:
        """Whether it was not refused and ended badly."""
        return self.outcome in BAD_OUTCOMES and self.is_followed is not False

    @property
    def is_good(self) -> bool:
        """Whether it was liked, or followed with success and not disliked."""
        if self.is_bad or (self.rating is not None and self.rating < MIN_RATING):
            return False
        return self.rating is not None or (self.is_followed is True and self.outcome == "achieved")

    @property
    def score(self) -> float | None:
        """Mean of rating and outcome of what was followed, 0-1; None when nothing was said."""
        scores = [] if self.rating is None else [(self.rating - 1) / 4]
        if self.is_followed and self.outcome in _OUTCOME_SCORE:
            scores.append(_OUTCOME_SCORE[self.outcome])
        return sum(scores) / len(scores) if scores else None


def recommendation_input_id(document_ids: Sequence[str]) -> str:
    """Gives the id under which a group of events is one input; a late reply makes a new one."""
    return make_id("events", *sorted(document_ids))


def extract_events(documents: "pl.DataFrame", pack: Pack) -> Extraction:
    """Gives examples and preferences of recommendations and the replies to them.

    Pure and independent of the order of rows. Every recommendation that gives nothing gets a verdict.

    Args:
        documents: All current events of the prompts they belong to.
        pack: A category that it does not know is no category.
    """
    examples: list[dict[str, Any]] = []
    verdicts: list[dict[str, Any]] = []
    for group in _group_by_prompt(documents).values():
        made, left_out = _extract_group(group, pack)
        examples += made
        verdicts += left_out
    return Extraction(example_frame(examples), verdict_frame(verdicts))


def _group_by_prompt(documents: "pl.DataFrame") -> dict[str, list[_Shown]]:
    shown: dict[str, _Shown] = {}
    groups: dict[str, list[_Shown]] = defaultdict(list)
    # By time of the event, so that the latest reply is the one that stays, in whatever order they arrived.
    rows = sorted(documents.iter_rows(named=True), key=lambda row: (row["created_at"], row["natural_key"]))
    for row in rows:
        metadata = json.loads(row["metadata"])
        if metadata["event"] == "recommendation":
            found = _Shown(row, json.loads(row["content"]), [row["id"]])
            # A recommendation sent twice under two event ids counts once.
            first = shown.setdefault(metadata["recommendation"], found)
            if first is found:
                groups[metadata["prompt_key"]].append(found)
            else:
                first.documents.append(row["id"])
    for row in rows:
        metadata = json.loads(row["metadata"])
        target = shown.get(metadata["recommendation"])
        if target is not None and metadata["event"] != "recommendation":
            _add_reply(target, row, json.loads(row["content"]))
    return groups


def _add_reply(shown: _Shown, row: Mapping[str, Any], event: Mapping[str, Any]) -> None:
    shown.documents.append(row["id"])
    if event["kind"] == "rating":
        shown.rating = event["rating"]
    elif event["kind"] == "adherence":
        shown.is_followed = event["is_followed"]
    elif event["kind"] == "outcome":
        shown.outcome = event["outcome"]
    elif event["kind"] == "correction":
        shown.correction, shown.correction_document = event["corrected_answer"], row


def _extract_group(group: Sequence[_Shown], pack: Pack) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    input_id = recommendation_input_id([document for shown in group for document in shown.documents])
    examples: list[dict[str, Any]] = []
    verdicts: list[dict[str, Any]] = []
    for shown in group:
        made = _extract_one(shown, input_id)
        examples += made
        if not made:
            verdicts.append(_leave_out(shown))
        elif shown.is_bad:
            verdicts += [_flag(row["id"], shown) for row in made if row["rejected"] is None]
    pair = _find_pair(group)
    if pair is not None:
        examples.append(_build(pair[0], pair[0].event["answer"], input_id, rejected=pair[1]))
    for row in examples:
        row["category"] = pack.find_category(row["category"]) if row["category"] else None
        row["category_basis"] = "label" if row["category"] else None
    return examples, verdicts


def _extract_one(shown: _Shown, input_id: str) -> list[dict[str, Any]]:
    if shown.correction is not None:
        corrected = _build(shown, shown.correction, input_id, basis="correction", score=1.0)
        return [corrected, _build(shown, shown.correction, input_id, rejected=shown, basis="correction")]
    if shown.is_good:
        basis = "outcome" if shown.rating is None else "rating"
        return [_build(shown, shown.event["answer"], input_id, basis=basis, score=shown.score)]
    if shown.is_bad:
        return [_build(shown, shown.event["answer"], input_id, basis="negative", score=0.0)]
    return []


def _find_pair(group: Sequence[_Shown]) -> tuple[_Shown, _Shown] | None:
    """Gives the best and the worst answer to a prompt where they are clearly apart; corrected ones have their own."""
    scored = sorted(
        (
            (shown.score, shown.document["id"], shown)
            for shown in group
            if shown.score is not None and not shown.correction
        ),
        key=lambda item: (-item[0], item[1]),
    )
    if len(scored) < 2:
        return None
    (best, _, chosen), (worst, _, rejected) = scored[0], scored[-1]
    is_clear = best >= MIN_CHOSEN and best - worst >= MIN_GAP and chosen.is_good
    return (chosen, rejected) if is_clear and chosen.event["answer"] != rejected.event["answer"] else None


def _build(
    shown: _Shown,
    answer: str,
    input_id: str,
    *,
    rejected: _Shown | None = None,
    basis: str = "pair",
    score: float | None = None,
) -> dict[str, Any]:
    event = shown.event
    involved = [shown, rejected] if rejected is not None and rejected is not shown else [shown]
    documents = sorted({document for one in involved for document in one.documents})
    turns = [dict(message) for message in event["prompt"] if message["role"] != "system"]
    return build_example(
        shown.document,
        extractor=EXTRACTOR,
        span={"documents": documents, "basis": basis},
        messages=[*turns, {"role": "assistant", "content": answer}],
        rejected=None if rejected is None else [{"role": "assistant", "content": rejected.event["answer"]}],
        # One prompt is one unit: its answers never lie on two sides of a split.
        unit_keys=[f"prompt:{json.loads(one.document['metadata'])['prompt_key']}" for one in involved[:1]],
        input_id=input_id,
        document_ids=documents,
        metadata={
            "basis": basis,
            "model": event["model"],
            "arm": event.get("arm"),
            "rating": shown.rating,
            "is_followed": shown.is_followed,
            "outcome": shown.outcome,
        },
        category=event.get("category"),
        role=event.get("role"),
        source_score=score,
    )


def _flag(example_id: str, shown: _Shown) -> dict[str, Any]:
    return {
        "subject_id": example_id,
        "is_kept": True,
        "reason": f"flag:{shown.outcome}_after_following",
        "detail": "it was followed and ended badly: reject it, or write what should have been said",
    }


def _leave_out(shown: _Shown) -> dict[str, Any]:
    if shown.rating is not None:
        reason, detail = "low_rating", f"rated {shown.rating}, expected {MIN_RATING} or more"
    elif shown.is_followed is False:
        reason, detail = "not_followed", "nothing is known of what it would have led to"
    else:
        reason, detail = "no_feedback", "nothing was said that tells whether it was good"
    return {"subject_id": shown.document["id"], "is_kept": False, "reason": reason, "detail": detail}
