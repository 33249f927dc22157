"""Chooses examples of the corpus to show a model how to answer: like the question, of its category, from train alone."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.dedup import find_near

if TYPE_CHECKING:
    import polars as pl

    from warehouse import Warehouse

MAX_CANDIDATES = 2_000
"""The best rows of a category; comparing a question with them takes some 50 ms."""
MAX_SHOT_TOKENS = 400
MIN_SIMILARITY = 0.08


@dataclass(frozen=True)
class Shot:
    """An example to show.

    Attributes:
        id: Of the example.
        prompt: What the user asked.
        answer: What the assistant said.
        similarity: Jaccard similarity of its words with the question's, 0-1.
    """

    id: str
    prompt: str
    answer: str
    similarity: float


def read_candidates(snapshot: "Warehouse", category: str | None, language: str) -> "pl.DataFrame":
    """Gives rows of the train split (`id`, `prompt`, `answer`), best quality first; validation and test never."""
    return snapshot.read(
        "few_shot_candidates",
        category=category,
        language=language,
        max_tokens=MAX_SHOT_TOKENS,
        max_rows=MAX_CANDIDATES,
    )


def choose_shots(question: str, candidates: "pl.DataFrame", count: int) -> list[Shot]:
    """Gives the candidates most like the question, the most similar last, where a model heeds it most."""
    if count == 0 or candidates.is_empty():
        return []
    near = find_near([question], candidates["prompt"], MIN_SIMILARITY, ngram=1, top_k=count)
    rows = candidates[near["near"].to_list()]
    shots = [
        Shot(row["id"], row["prompt"], row["answer"], similarity)
        for row, similarity in zip(rows.iter_rows(named=True), near["similarity"], strict=True)
    ]
    return shots[::-1]
