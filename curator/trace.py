"""From a failed case to the data: the training rows that are nearest to its question and its reference."""

from collections.abc import Sequence
from typing import Any

import orjson

from curator.text import flatten_messages
from curator.why import describe_place
from schemas.evaluation import CaseResult
from warehouse import Warehouse

NGRAM = 2
"""Word pairs: what a row is about, not how it is worded (wording shared with a case is kept out of training anyway)."""


def trace_failures(
    snapshot: Warehouse, results: Sequence[CaseResult], release_id: str, top: int = 3
) -> list[dict[str, Any]]:
    """Gives for each failed case the training rows that are most like it.

    Args:
        snapshot: An open snapshot.
        results: Answers of a model; those that passed are skipped.
        release_id: Whose training split is searched.
        top: Rows a case.

    Returns:
        `case`, `failed` (labels) and `rows`: `id`, `similarity`, `category`, `where`, `question`, `answer`. A case
        without any row asks for data rather than for another training run.
    """
    from curator.dedup import find_near

    failed = [result for result in results if not result.is_passed]
    rows = snapshot.read("split_turns", release_id=release_id, split="train")
    traced: list[dict[str, Any]] = [
        {"case": result.case_id, "failed": [check.label for check in result.failed], "rows": []} for result in failed
    ]
    if not failed or not rows.height:
        return traced
    texts = flatten_messages(rows.select("messages"))
    wanted = [f"{result.question}\n{result.reference}" for result in failed]
    found = find_near(wanted, texts["full"], 0.02, NGRAM, measure="containment", top_k=top)
    for text, near, similarity in found.iter_rows():
        traced[text]["rows"].append(_describe(rows.row(near, named=True), texts.row(near, named=True), similarity))
    return traced


def read_split(snapshot: Warehouse, release_id: str, split: str, role: str | None = None) -> list[list[dict[str, str]]]:
    """Gives the conversations of a split (of one coach role) that end with an answer, as a chat model reads them."""
    from curator.text import join_turn

    found = []
    for messages, tagged in snapshot.read("split_turns", release_id=release_id, split=split)["messages", "role"].rows():
        if role not in (None, tagged):
            continue
        turns = [{"role": turn["role"], "content": join_turn(turn)} for turn in orjson.loads(messages)]
        if all(turn["role"] != "tool" and turn["content"] for turn in turns):
            found.append(turns)
    return found


def _describe(row: dict[str, Any], texts: dict[str, Any], similarity: float) -> dict[str, Any]:
    return {
        "id": row["id"],
        "similarity": round(similarity, 4),
        "category": row["category"],
        "where": f"{row['source']}: {describe_place(row['natural_key'], row['span'])}",
        "question": texts["question"],
        "answer": texts["answer"],
    }
