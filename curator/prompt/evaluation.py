"""How often retrieval finds the page that answers: hit rates and mean reciprocal rank over questions with known pages."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from curator.prompt.kit import PromptKit
from schemas.errors import ConfigError
from schemas.pack import Pack
from sources.packs.loader import pack_path

DEPTH = 10


class RetrievalQuestion(BaseModel):
    """One question and the pages any of which answers it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str = Field(min_length=3)
    pages: list[str] = Field(min_length=1, description="Paths below the pack's knowledge folder, or record names.")


@dataclass(frozen=True)
class RetrievalReport:
    """What was found.

    Attributes:
        questions: How many were asked.
        hit_1_ratio: Share with a right page first.
        hit_3_ratio: Share with a right page among the first three.
        mean_reciprocal_rank: Mean of 1 / rank of the first right page within ten; 0 where there is none.
        misses: Questions without a right page in the first three, with what came instead.
    """

    questions: int
    hit_1_ratio: float
    hit_3_ratio: float
    mean_reciprocal_rank: float
    misses: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """Gives plain values."""
        return asdict(self)


def read_questions(path: Path) -> list[RetrievalQuestion]:
    """Reads questions from JSONL.

    Raises:
        ConfigError: The file is absent or a line is wrong; the message names it.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such file", 'expected JSONL of {"question": "…", "pages": ["…"]}')
    questions = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            questions.append(RetrievalQuestion.model_validate(orjson.loads(line)))
        except (orjson.JSONDecodeError, ValidationError) as error:
            detail = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
            raise ConfigError(f"{path}:{number}: {detail}", 'expected {"question": "…", "pages": ["…"]}') from error
    if not questions:
        raise ConfigError(f"{path}: no question in it", 'expected JSONL of {"question": "…", "pages": ["…"]}')
    return questions


def find_questions(pack: Pack) -> Path:
    """Gives the file of the pack's own questions.

    Raises:
        ConfigError: The pack has none.
    """
    if pack.retrieval is None:
        raise ConfigError(f"pack {pack.name}: has no retrieval questions", "curator evaluate retrieval FILE")
    return pack_path(pack, pack.retrieval)


def evaluate_retrieval(kit: PromptKit, questions: Sequence[RetrievalQuestion]) -> RetrievalReport:
    """Asks every question; several passages of one page count as one place in the ranking."""
    ranks: list[int | None] = []
    misses: list[dict[str, Any]] = []
    for item in questions:
        pages = _rank_pages(kit, item.question)
        rank = next((n for n, names in enumerate(pages, 1) if names & set(item.pages)), None)
        ranks.append(rank)
        if rank is None or rank > 3:
            found = [max(names, key=len) for names in pages[:3]]
            misses.append({"question": item.question, "expected": item.pages, "found": found, "rank": rank})
    total = len(ranks)
    return RetrievalReport(
        total,
        sum(rank == 1 for rank in ranks) / total,
        sum(rank is not None and rank <= 3 for rank in ranks) / total,
        sum(1 / rank for rank in ranks if rank is not None) / total,
        misses,
    )


def _rank_pages(kit: PromptKit, question: str) -> list[set[str]]:
    """Gives the first ten pages, each with the names it goes by: its path in the folder, or the record's title."""
    ranked: dict[str, set[str]] = {}
    for hit in kit.find(question, DEPTH * 5):
        passage = hit.passage
        key = passage.place if passage.is_record else passage.page
        ranked.setdefault(key, {passage.title if passage.is_record else passage.page.partition("/")[2]})
    return list(ranked.values())[:DEPTH]
